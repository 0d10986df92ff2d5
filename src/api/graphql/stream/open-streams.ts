import type { Response } from 'express';
import { GraphQLError } from 'graphql';

/** How many streams may be open at the same time in this process. */
export interface StreamLimits {
  readonly perActor: number;
  readonly perProcess: number;
}

/** The streams of this process, so that they stay within their bounds and end when the process stops. */
export class OpenStreams {
  readonly #limits: StreamLimits;
  readonly #onCount: (open: number) => void;
  readonly #actorOf = new Map<Response, string>();
  #isStopping = false;

  constructor(limits: StreamLimits, onCount: (open: number) => void) {
    this.#limits = limits;
    this.#onCount = onCount;
  }

  /** Counts the response until it is closed. Throws for one too many. */
  add(response: Response, actorId: string): void {
    if (this.#isStopping) throw refusal('SERVICE_UNAVAILABLE', 503, 'This process is stopping: subscribe again.');
    const ofActor = [...this.#actorOf.values()].filter((id) => id === actorId).length;
    if (ofActor >= this.#limits.perActor) {
      throw refusal('RATE_LIMITED', 429, `You have ${ofActor} streams open: close one before you open another.`);
    }
    if (this.#actorOf.size >= this.#limits.perProcess) {
      throw refusal('RATE_LIMITED', 429, 'Too many streams are open: try again later, or use queries.');
    }
    this.#actorOf.set(response, actorId);
    this.#onCount(this.#actorOf.size);
    response.once('close', () => {
      this.#actorOf.delete(response);
      this.#onCount(this.#actorOf.size);
    });
  }

  /** Cuts them off: whoever is told that a stream is complete would not subscribe again. */
  stop(): void {
    this.#isStopping = true;
    for (const response of this.#actorOf.keys()) response.destroy();
  }
}

function refusal(code: string, status: number, message: string): GraphQLError {
  return new GraphQLError(message, {
    extensions: { code, http: { status, headers: new Map([['retry-after', '5']]) } },
  });
}
