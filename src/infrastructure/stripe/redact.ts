const REDACTED = '[redacted]';

/** Secret and restricted keys, signing secrets, and client secrets of payment intents, also half hidden by stars. */
const SECRET_SHAPES: readonly RegExp[] = [
  /\b(?:sk|rk|ek|whsec)_[\w*]{3,}/g,
  /\b\w{3,}_secret_\w+/g,
  /(?<=\b(?:Bearer|Basic)\s+)(?=\S*\d|\S{16})[\w.~+/=*-]+/gi,
];

/**
 * Removes everything that is, or looks like, a secret from a text that may leave the process: Stripe quotes the key that
 * it refuses, with stars in the middle.
 *
 * @param secrets texts that must not appear whatever they look like, e.g. the key that was sent
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  const known = secrets.filter((secret) => secret !== '');
  const withoutKnown = known.reduce((remaining, secret) => remaining.replaceAll(secret, REDACTED), text);
  return SECRET_SHAPES.reduce((remaining, shape) => remaining.replace(shape, REDACTED), withoutKnown);
}
