import { createHash } from 'node:crypto';
import { duplicateRequestId } from '../faults.js';
import type { RememberedAnswer } from './model.js';
import type { Work } from './work.js';

/** Two requests are the same when they ask the same resource for the same thing. */
export function fingerprint(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('base64url');
}

/** What was answered under this key before, unless the company has forgotten it. */
export function recall(work: Work, key: string, request: string): RememberedAnswer | undefined {
  const known = work.books.answered.get(key);
  if (known === undefined) return undefined;
  const { requestIdMemorySeconds, refuseRepeatedRequestId } = work.settings;
  if (requestIdMemorySeconds != null && work.now - known.at >= requestIdMemorySeconds * 1000) {
    work.books.answered.delete(key);
    return undefined;
  }
  if (refuseRepeatedRequestId && known.request !== request) throw duplicateRequestId();
  return known;
}

export function remember(work: Work, key: string, request: string, answer: Omit<RememberedAnswer, 'at' | 'request'>) {
  work.books.answered.set(key, { ...answer, at: work.now, request });
}
