import { z } from 'zod';

const NOT_SENT_CODES = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  // The certificate was refused: nothing is sent before it is accepted.
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** Other errors of the phases before a connection stands carry the system call, e.g. EHOSTUNREACH from `connect`. */
const NOT_SENT_SYSTEM_CALLS = new Set(['connect', 'getaddrinfo']);

const networkError = z.object({
  name: z.string().optional(),
  code: z.string().optional().catch(undefined),
  syscall: z.string().optional().catch(undefined),
});
const fetchError = networkError.extend({ cause: networkError.optional().catch(undefined) });

/** `fetch` wraps what happened on the network into a TypeError with a cause. */
export function networkErrorOf(error: unknown): z.output<typeof networkError> {
  const parsed = fetchError.safeParse(error);
  return parsed.success ? (parsed.data.cause ?? parsed.data) : {};
}

/** No connection stood: certainly nothing was received. */
export function isBeforeConnected(error: unknown): boolean {
  const { code = '', syscall = '' } = networkErrorOf(error);
  return NOT_SENT_CODES.has(code) || NOT_SENT_SYSTEM_CALLS.has(syscall);
}
