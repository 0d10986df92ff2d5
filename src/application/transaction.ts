import { setTimeout as delay } from 'node:timers/promises';
import { DeadlockException } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Waits } from './waits.js';

/** A loser of a deadlock finds the row free on its next try; more than a few in a row means something else is wrong. */
const MAX_ATTEMPTS = 5;

/** Two losers that come back at the same moment would meet again. */
const MAX_JITTER_MS = 20;

/**
 * Runs `work` in one transaction on a fresh entity manager and repeats it from the start when PostgreSQL undid it for
 * the sake of another one (deadlock, serialization failure). `work` must not call anything remote.
 */
export async function inTransaction<T>(em: EntityManager, work: (tx: EntityManager) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await em.fork().transactional(work);
    } catch (error) {
      // MikroORM's name for both, SQLSTATE 40P01 and 40001.
      if (!(error instanceof DeadlockException) || attempt === MAX_ATTEMPTS) throw error;
      await delay(Math.random() * MAX_JITTER_MS * attempt);
    }
  }
}

const MAX_RECORDINGS = 5;

/**
 * As `inTransaction`, for what became of a remote call: repeated also when the database was lost on the way, so that a
 * restart of it does not cost the knowledge. Whether the lost transaction was committed is open, hence `work` must do
 * nothing when it was done before.
 */
export function recordInTransaction<T>(
  { em, waits }: { readonly em: EntityManager; readonly waits: Pick<Waits, 'recordingRetryMs'> },
  work: (tx: EntityManager) => Promise<T>,
): Promise<T> {
  return recording(waits, () => inTransaction(em, work));
}

/** The repetition alone, for what is no transaction of the ORM's. */
export async function recording<T>(waits: Pick<Waits, 'recordingRetryMs'>, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isLostConnection(error) || attempt === MAX_RECORDINGS) throw error;
      await delay(waits.recordingRetryMs * 2 ** (attempt - 1));
    }
  }
}

/** Codes of the network and of PostgreSQL: class 08 is about connections, class 57P about its stopping and starting. */
const LOST_CODES = /^(ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|08...|57P0[123]|53300|25P03)$/;

/** The driver gives this no code. */
const LOST_MESSAGE = /connection terminated|not queryable|timeout exceeded when trying to connect/i;

/** Whether the database was lost on the way, so that the same may work a moment later. */
export function isLostConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return LOST_CODES.test(code) || LOST_MESSAGE.test(error.message);
}

/** Whether PostgreSQL broke a statement off, as a rule because it took longer than its `statement_timeout`. */
export function isQueryCanceled(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '57014';
}
