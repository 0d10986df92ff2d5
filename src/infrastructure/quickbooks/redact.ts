const REDACTED = '[redacted]';

/**
 * What Intuit's secrets look like: JWE and JWT access tokens, refresh tokens of both generations, whatever follows the
 * words that introduce a token, and any long run of letters and digits that no word or id of a document is.
 */
const SECRET_SHAPES: readonly RegExp[] = [
  /\beyJ[\w-]*(?:\.[\w-]*)*/g,
  /\bRT1-[\w-]+/g,
  /\bAB(?:0|1)\w{6,}/g,
  /(?<=\b(?:Bearer|Basic)\s+)(?=\S*\d|\S{16})[\w.~+/=-]+/gi,
  /(?<=\bToken\s+(?:expired|revoked|invalid)\s*:?\s+)(?=\S*\d)\S+/gi,
  /(?<=\b(?:access_token|refresh_token|client_secret)["']?\s*[:=]\s*["']?)[^\s"',;&:=]+/gi,
  /(?=[\w~+=-]*\d)(?=[\w~+=-]*[A-Za-z])[\w~+=-]{30,}/g,
];

/**
 * Removes everything that is, or looks like, a token from a text that may leave the process: Intuit's authentication
 * faults echo the access token that they refuse.
 *
 * @param secrets texts that must not appear whatever they look like, e.g. the access token that was sent
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  const known = secrets.filter((secret) => secret !== '');
  const withoutKnown = known.reduce((remaining, secret) => remaining.replaceAll(secret, REDACTED), text);
  return SECRET_SHAPES.reduce((remaining, shape) => remaining.replace(shape, REDACTED), withoutKnown);
}
