import type { ClientBase } from 'pg';

/**
 * Runs `work` while this database session holds the lock of that name; false when another session holds it. The lock
 * ends with the session, so that a worker that is killed blocks nobody. (A queue of graphile-worker stays locked for
 * four hours after its worker was killed.)
 */
export async function withSessionLock(
  session: Pick<ClientBase, 'query'>,
  name: string,
  work: () => Promise<void>,
): Promise<boolean> {
  const { rows } = await session.query<{ isLocked: boolean }>(
    'select pg_try_advisory_lock(hashtextextended($1, 0)) as "isLocked"',
    [name],
  );
  if (!rows[0]?.isLocked) return false;
  try {
    await work();
    return true;
  } finally {
    await session.query('select pg_advisory_unlock(hashtextextended($1, 0))', [name]);
  }
}
