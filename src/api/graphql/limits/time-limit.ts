import type { ApolloServerPlugin } from '@apollo/server';
import { OperationTypeNode } from 'graphql';
import { timedOut } from './limit-errors.js';

/** How long an operation may take: whoever reads waits at a screen, a mutation waits for a provider. */
export interface TimeLimits {
  readonly queryMs: number;
  readonly mutationMs: number;
}

export const standardTimeLimits: TimeLimits = { queryMs: 15_000, mutationMs: 60_000 };

/** When one operation is given up. Its reads are cancelled in the database; what a mutation began goes on to its end. */
export class TimeLimit {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  /** Aborts with the error that the client gets. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  start(milliseconds: number): void {
    this.#timer = setTimeout(() => this.#controller.abort(timedOut()), milliseconds).unref();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  /** What the work comes to. Throws once the time is over; the work goes on, and `onLateError` hears how it fails. */
  async wait<T>(begin: () => Promise<T>, onLateError: (error: unknown) => void): Promise<T> {
    this.signal.throwIfAborted();
    const over = Promise.withResolvers<never>();
    const onAbort = () => over.reject(this.signal.reason);
    this.signal.addEventListener('abort', onAbort);
    const work = begin();
    try {
      return await Promise.race([work, over.promise]);
    } finally {
      this.signal.removeEventListener('abort', onAbort);
      if (this.signal.aborted) work.catch(onLateError);
    }
  }
}

export function timeLimitPlugin({
  queryMs,
  mutationMs,
}: TimeLimits): ApolloServerPlugin<{ readonly timeLimit: TimeLimit }> {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ contextValue, operation }) {
          contextValue.timeLimit.start(operation?.operation === OperationTypeNode.MUTATION ? mutationMs : queryMs);
        },
        async willSendResponse({ contextValue }) {
          contextValue.timeLimit.end();
        },
      };
    },
  };
}
