import { AsyncLocalStorage } from 'node:async_hooks';

/** Carries the request id to every log line and error that a request or job causes. */
export const requestScope = new AsyncLocalStorage<{ readonly requestId: string }>();
