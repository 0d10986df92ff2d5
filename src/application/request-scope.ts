import { AsyncLocalStorage } from 'node:async_hooks';
import type { Deadline } from './deadline.js';

export interface RequestScope {
  /** Every log line and error that the request or job causes bears it. */
  readonly requestId: string;
  /** When the caller stops waiting; undefined: nobody waits, as in background jobs. */
  readonly deadline?: Deadline;
}

/** Goes along with everything that a request or job does. */
export const requestScope = new AsyncLocalStorage<RequestScope>();
