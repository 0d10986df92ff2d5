import { DeadlockException } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';

/** A deadlock's loser finds the row free on its next try; more than a few in a row means something else is wrong. */
const MAX_ATTEMPTS = 3;

/**
 * Runs `work` in one transaction on a fresh entity manager and repeats it from the start when PostgreSQL chose it as
 * the victim of a deadlock. `work` must not call anything remote.
 */
export async function inTransaction<T>(em: EntityManager, work: (tx: EntityManager) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await em.fork().transactional(work);
    } catch (error) {
      if (!(error instanceof DeadlockException) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
