import type { Response } from 'express';
import { GraphQLError } from 'graphql';
import type { Actor } from '../../../application/context.js';

/** How many streams may be open at the same time in this process. */
export interface StreamLimits {
  readonly perActor: number;
  readonly perProcess: number;
}

/** Whether callers still may what they could when they were let in. Asked for all streams of this process at once. */
export interface CallerCheck {
  readonly everyMs: number;
  readonly findWeakened: (actors: readonly Actor[]) => Promise<ReadonlySet<Actor>>;
  readonly onError: (error: unknown) => void;
}

/** The streams of this process, so that they stay within their bounds and end when the process stops. */
export class OpenStreams {
  readonly #limits: StreamLimits;
  readonly #callerCheck: CallerCheck;
  readonly #onCount: (open: number) => void;
  readonly #actorOf = new Map<Response, Actor>();
  readonly #checking: NodeJS.Timeout;
  #isStopping = false;

  constructor(limits: StreamLimits, callerCheck: CallerCheck, onCount: (open: number) => void) {
    this.#limits = limits;
    this.#callerCheck = callerCheck;
    this.#onCount = onCount;
    const check = () => void this.#cutOffWeakened().catch(callerCheck.onError);
    this.#checking = setInterval(check, callerCheck.everyMs).unref();
  }

  /** Counts the response until it is closed. Throws for one too many. */
  add(response: Response, actor: Actor): void {
    if (this.#isStopping) throw refusal('SERVICE_UNAVAILABLE', 503, 'This process is stopping: subscribe again.');
    const ofActor = [...this.#actorOf.values()].filter(({ id }) => id === actor.id).length;
    if (ofActor >= this.#limits.perActor) {
      throw refusal('RATE_LIMITED', 429, `You have ${ofActor} streams open: close one before you open another.`);
    }
    if (this.#actorOf.size >= this.#limits.perProcess) {
      throw refusal('RATE_LIMITED', 429, 'Too many streams are open: try again later, or use queries.');
    }
    this.#actorOf.set(response, actor);
    this.#onCount(this.#actorOf.size);
    response.once('close', () => {
      this.#actorOf.delete(response);
      this.#onCount(this.#actorOf.size);
    });
  }

  /** Cuts them off: whoever is told that a stream is complete would not subscribe again. */
  stop(): void {
    this.#isStopping = true;
    clearInterval(this.#checking);
    for (const response of this.#actorOf.keys()) response.destroy();
  }

  /**
   * Nobody may see a thing without being asked for their key, so this only frees the places of streams that nothing
   * happens on. Who comes back is told what they may still see.
   */
  async #cutOffWeakened(): Promise<void> {
    if (this.#actorOf.size === 0) return;
    const weakened = await this.#callerCheck.findWeakened([...this.#actorOf.values()]);
    for (const [response, actor] of this.#actorOf) if (weakened.has(actor)) response.destroy();
  }
}

function refusal(code: string, status: number, message: string): GraphQLError {
  return new GraphQLError(message, {
    extensions: { code, http: { status, headers: new Map([['retry-after', '5']]) } },
  });
}
