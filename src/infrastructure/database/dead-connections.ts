import type { Pool, PoolClient } from 'pg';

/** Whoever uses a connection that ends learns it at once and gives it back, if it does so at all. */
const GRACE_MS = 100;

/**
 * Gives the places of dead connections back to the pool. Kysely returns a connection only after its commit or rollback
 * succeeded, which on a dead one they never do: without this, ten transactions that a restart of PostgreSQL cut off
 * would leave a process without any connection for ever.
 */
export function freeDeadConnections(pool: Pool): void {
  const inUse = new Set<PoolClient>();
  pool.on('acquire', (client) => inUse.add(client));
  pool.on('release', (_error, client) => inUse.delete(client));
  pool.on('connect', (client) => {
    client.once('end', () => setTimeout(() => inUse.has(client) && client.release(true), GRACE_MS));
  });
}
