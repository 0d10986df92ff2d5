import { setTimeout as delay } from 'node:timers/promises';
import { BulkheadRejectedError, bulkhead } from 'cockatiel';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { type Actor, NOBODY } from '../../../application/context.js';
import { CredentialRefused } from '../../../application/ports/identity.js';
import { rateLimited } from './limit-errors.js';

const WINDOW_SECONDS = 60;

/** Somebody who mistyped a key tries a few times; a program with an old one tries every second. */
const FAILED_LOGINS = 100;

/**
 * Look-ups at a time, and waiting for their turn, of all addresses with too many failures: guesses are bounded by what two
 * connections can look up, and the others stay free. The look-up of a key takes under a
 * millisecond, so a valid one hardly waits, unless tokens wait there for their identity provider.
 */
const SUSPICIOUS_AT_ONCE = 2;
const SUSPICIOUS_WAITING = 100;

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
  readonly #suspicious = bulkhead(SUSPICIOUS_AT_ONCE, SUSPICIOUS_WAITING);

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

  /**
   * The same look-up for an address. After too many that found nobody, further ones come to little: they wait for each
   * other, and are refused with `RATE_LIMITED` unless their key is right. Somebody else's may be: many share an address.
   */
  countingFailures(findActor: FindActor, address: string): FindActor {
    const find = this.#counted(findActor, address);
    return async (credential) => {
      const failed = await this.#failedLogins.get(address);
      if (!failed || failed.consumedPoints <= FAILED_LOGINS) return find(credential);
      const actor = await this.#suspicious.execute(() => find(credential)).catch(nobodyIfRefused);
      if (actor) return actor;
      throw rateLimited('Too many requests with a wrong key came from your address.', failed.msBeforeNext);
    };
  }

  #counted(findActor: FindActor, address: string): FindActor {
    return async (credential) => {
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
}

function nobodyIfRefused(error: unknown): undefined {
  if (!(error instanceof CredentialRefused || error instanceof BulkheadRejectedError)) throw error;
}

type FindActor = (credential: string) => Promise<Actor | undefined>;

function budgetOf({ actor, address }: Caller): string {
  return actor === NOBODY ? `address ${address}` : `actor ${actor.id}`;
}

function refuseBeyond({ points }: RateLimiterMemory, spent: RateLimiterRes | null): void {
  if (!spent || spent.consumedPoints <= points) return;
  throw rateLimited('You asked for more in a minute than one caller may.', spent.msBeforeNext);
}
