import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { z } from 'zod';
import { hasCode } from './files.js';

/** Any number, the same in every process: an advisory lock in the maintenance database, which nothing else uses. */
const OWNER_LOCK = 4_018_202;
const OWNER_NAME = 'conference-invoicing owner ';

export type Attempt =
  | { readonly outcome: 'owned'; readonly lock: OwnerLock }
  | { readonly outcome: 'owned by another'; readonly ownerPid: number | undefined }
  | { readonly outcome: 'not reachable' };

/**
 * Says that a living process uses the embedded server. It is a session-level advisory lock: when the process dies, however
 * it dies, its session and the lock go with it, so a server nobody owns can be told from one in use.
 */
export class OwnerLock {
  #client: pg.Client;
  #ending = false;

  private constructor(client: pg.Client, maintenanceUrl: string) {
    this.#client = client;
    this.#watch(client, maintenanceUrl);
  }

  static async tryTake(maintenanceUrl: string): Promise<Attempt> {
    const client = await connect(maintenanceUrl);
    if (client === undefined) return { outcome: 'not reachable' };
    if (await takeLock(client)) return { outcome: 'owned', lock: new OwnerLock(client, maintenanceUrl) };
    const ownerPid = await findOwner(client);
    await client.end();
    return { outcome: 'owned by another', ownerPid };
  }

  /** The connection that holds the lock; for the statements of the start. */
  get client(): pg.Client {
    return this.#client;
  }

  /** From here on it is no surprise that the server ends the session. */
  expectEnd(): void {
    this.#ending = true;
  }

  async end(): Promise<void> {
    this.expectEnd();
    await this.#client.end().catch(() => undefined);
  }

  /** A server that recovers from a crash of one of its processes ends every session: take the lock again. */
  #watch(client: pg.Client, maintenanceUrl: string): void {
    client.on('error', () => undefined);
    client.once('end', () => {
      if (!this.#ending) void this.#takeAgain(maintenanceUrl);
    });
  }

  async #takeAgain(maintenanceUrl: string): Promise<void> {
    while (!this.#ending) {
      const client = await connect(maintenanceUrl).catch(() => undefined);
      if (client !== undefined && (await takeLock(client).catch(() => false))) {
        this.#client = client;
        this.#watch(client, maintenanceUrl);
        if (this.#ending) await this.end();
        return;
      }
      await client?.end().catch(() => undefined);
      await sleep(1000, undefined, { ref: false });
    }
  }
}

/** 57P01 and 57P03: the server is starting up or shutting down. */
const NOT_NOW = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', '57P01', '57P02', '57P03'];

async function connect(connectionString: string): Promise<pg.Client | undefined> {
  const client = new pg.Client({
    connectionString,
    application_name: `${OWNER_NAME}${process.pid}`,
    connectionTimeoutMillis: 5000,
  });
  // Without a listener a session that the server ends would end this process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    if (hasCode(error, ...NOT_NOW) || /Connection terminated/.test(String(error))) return undefined;
    throw error;
  }
}

async function takeLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [OWNER_LOCK]);
  return rows[0]?.taken === true;
}

async function findOwner(client: pg.Client): Promise<number | undefined> {
  const { rows } = await client.query<{ name: string }>(
    `select application_name as name from pg_locks join pg_stat_activity using (pid)
     where locktype = 'advisory' and granted and classid = 0 and objid = $1 and objsubid = 1`,
    [OWNER_LOCK],
  );
  const pid = z.coerce.number().int().positive().safeParse(rows[0]?.name.slice(OWNER_NAME.length));
  return pid.success ? pid.data : undefined;
}
