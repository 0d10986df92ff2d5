import { setTimeout as delay } from 'node:timers/promises';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { type Actor, NOBODY } from '../../../application/context.js';
import { CredentialRefused } from '../../../application/ports/identity.js';
import { rateLimited } from './limit-errors.js';

const WINDOW_SECONDS = 60;

/** Somebody who mistyped a key tries a few times; a program with an old one tries every second. */
const FAILED_LOGINS = 100;

/** Who asks, and where from, which tells those without a key apart. */
export interface Caller {
  readonly actor: Actor;
  readonly address: string;
}

/**
 * What everybody may ask of this process in a minute. Counted in memory: of several processes each allows as much, and
 * asking the database would cost more than most operations do.
 */
export class RateLimits {
  readonly #spent: RateLimiterMemory;
  readonly #failedLogins = new RateLimiterMemory({ points: FAILED_LOGINS, duration: WINDOW_SECONDS });

  constructor(costPerMinute: number, windowSeconds = WINDOW_SECONDS) {
    this.#spent = new RateLimiterMemory({ points: costPerMinute, duration: windowSeconds });
  }

  /** Takes the cost out of the caller's budget. Throws `RATE_LIMITED` when not as much is left. */
  async spend(caller: Caller, cost: number): Promise<void> {
    refuseBeyond(this.#spent, await this.#spent.penalty(budgetOf(caller), cost));
  }

  /** Takes the cost of what is done already out of the caller's budget. */
  async charge(caller: Caller, cost: number): Promise<void> {
    await this.#spent.penalty(budgetOf(caller), cost);
  }

  /** The same for what can be done later: waits until there is budget left, unless the signal aborts. */
  async chargeInTime(caller: Caller, cost: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const spent = await this.#spent.get(budgetOf(caller));
      if (!spent || spent.consumedPoints < this.#spent.points) return this.charge(caller, cost);
      await delay(spent.msBeforeNext, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Throws `RATE_LIMITED` for a caller who has no budget left. */
  async requireBudget(caller: Caller): Promise<void> {
    refuseBeyond(this.#spent, await this.#spent.get(budgetOf(caller)));
  }

  /** The same look-up for an address, which is refused with `RATE_LIMITED` after too many that found nobody. */
  countingFailures(findActor: FindActor, address: string): FindActor {
    return async (credential) => {
      await this.#admit(address);
      try {
        const actor = await findActor(credential);
        if (!actor) await this.#failedLogins.penalty(address);
        return actor;
      } catch (error) {
        if (error instanceof CredentialRefused) await this.#failedLogins.penalty(address);
        throw error;
      }
    };
  }

  async #admit(address: string): Promise<void> {
    const failed = await this.#failedLogins.get(address);
    if (failed && failed.consumedPoints > FAILED_LOGINS) {
      throw rateLimited('Too many requests with a wrong key came from your address.', failed.msBeforeNext);
    }
  }
}

type FindActor = (credential: string) => Promise<Actor | undefined>;

function budgetOf({ actor, address }: Caller): string {
  return actor === NOBODY ? `address ${address}` : `actor ${actor.id}`;
}

function refuseBeyond({ points }: RateLimiterMemory, spent: RateLimiterRes | null): void {
  if (!spent || spent.consumedPoints <= points) return;
  throw rateLimited('You asked for more in a minute than one caller may.', spent.msBeforeNext);
}
