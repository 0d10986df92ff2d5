import { createHash } from 'node:crypto';
import { keyOfOtherEndpoint, keyOfOtherParameters } from '../errors.js';
import type { RememberedAnswer } from './model.js';
import type { Work } from './work.js';

/** Keys are pruned when they are at least this old. */
const REMEMBERED_MS = 24 * 3600 * 1000;

export interface KeyedRequest {
  readonly key: string;
  readonly endpoint: string;
  /** The body as it was sent. */
  readonly form: string;
}

/** What was answered under this key before. Refuses a key that was used for something else. */
export function recall(work: Work, { key, endpoint, form }: KeyedRequest): RememberedAnswer | undefined {
  const known = work.books.answered.get(key);
  if (known === undefined) return undefined;
  if (work.now - known.at >= REMEMBERED_MS) {
    work.books.answered.delete(key);
    return undefined;
  }
  if (known.endpoint !== endpoint) throw keyOfOtherEndpoint(key, known.endpoint, endpoint);
  if (known.params !== fingerprint(form)) throw keyOfOtherParameters(key);
  return known;
}

export function remember(
  work: Work,
  { key, endpoint, form }: KeyedRequest,
  answer: Pick<RememberedAnswer, 'status' | 'body' | 'requestId'>,
): void {
  work.books.answered.set(key, { ...answer, at: work.now, endpoint, params: fingerprint(form) });
}

/** Parameters are the same in any order. */
function fingerprint(form: string): string {
  return createHash('sha256').update(form.split('&').sort().join('&')).digest('base64url');
}
