import { setTimeout as realSleep } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/postgresql';
import pg from 'pg';
import { openOrm } from '../../../src/infrastructure/database/orm.js';
import { type Gate, throughGate, withoutGate } from '../interception.js';
import type { Point, Strike } from '../points.js';

export type Run<T> =
  | { readonly kind: 'returned'; readonly value: T }
  | { readonly kind: 'threw'; readonly error: unknown }
  /** The instance died under it. */
  | { readonly kind: 'died' };

/** What an instance asks before and after each statement and call: whether that is the point to be struck. */
export type StrikeAt = (point: Point) => Strike | undefined;

export interface InstanceOptions {
  readonly databaseUrl: string;
  readonly strikeAt: StrikeAt;
  /** Told each time a use case returned: how many statements and calls it made. */
  readonly onCounted: (useCase: string, counts: Counts) => void;
  readonly sleepVirtually: (milliseconds: number) => Promise<void>;
}

export interface Counts {
  sql: number;
  http: number;
}

/**
 * An instance of the app that can die like a process: its database connections are cut, and no promise that its code
 * waits for is ever settled, so that nothing of it runs on.
 */
export class Instance {
  readonly orm: MikroORM;
  readonly #options: InstanceOptions;
  readonly #clients = new Set<pg.Client>();
  readonly #death = Promise.withResolvers<{ readonly kind: 'died' }>();
  #isDead = false;

  private constructor(orm: MikroORM, options: InstanceOptions) {
    this.orm = orm;
    this.#options = options;
  }

  static async start(options: InstanceOptions): Promise<Instance> {
    const orm = await openOrm(options.databaseUrl, { logger: () => undefined, debug: false });
    return new Instance(orm, options);
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Runs a use case inside the instance, until it returns or the instance dies. */
  run<T>(useCase: string, work: () => Promise<T>): Promise<Run<T>> {
    const counts: Counts = { sql: 0, http: 0 };
    const done = throughGate(this.#gate(useCase, counts), async (): Promise<Run<T>> => {
      try {
        const value = await work();
        this.#options.onCounted(useCase, counts);
        return { kind: 'returned', value };
      } catch (error) {
        return { kind: 'threw', error };
      }
    });
    return Promise.race([this.#death.promise, done]);
  }

  die(): void {
    this.#isDead = true;
    for (const client of this.#clients) cut(client);
    this.#death.resolve({ kind: 'died' });
  }

  async stop(): Promise<void> {
    this.#isDead = true;
    await this.orm.close().catch(() => undefined);
    for (const client of this.#clients) cut(client);
  }

  #gate(useCase: string, counts: Counts): Gate {
    return {
      sql: (client, send) => {
        this.#remember(client);
        counts.sql += 1;
        return this.#pass({ useCase, kind: 'sql', n: counts.sql }, send, client);
      },
      http: (send) => {
        counts.http += 1;
        return this.#pass({ useCase, kind: 'http', n: counts.http }, send);
      },
      sleep: async (milliseconds, sleep) => {
        // The harness moves the clock: that is no statement of the use case.
        if (!this.#isDead) await withoutGate(() => this.#options.sleepVirtually(milliseconds));
        const value = await sleep();
        return this.#isDead ? never() : value;
      },
    };
  }

  #remember(client: pg.Client): void {
    if (this.#clients.has(client)) return;
    this.#clients.add(client);
    client.once('end', () => this.#clients.delete(client));
    if (this.#isDead) cut(client);
  }

  async #pass<T>(at: Omit<Point, 'side'>, send: () => Promise<T>, client?: pg.Client): Promise<T> {
    if (this.#isDead) return never();
    const { strikeAt } = this.#options;
    const before = strikeAt({ ...at, side: 'before' });
    if (before?.action === 'crash') return this.#dieHere();
    if (before && client) cut(client);
    if (at.kind === 'http' && strikeAt({ ...at, side: 'during' })) {
      // It leaves; what comes back finds nobody.
      send().catch(() => undefined);
      return this.#dieHere();
    }
    const sent = await settled(send);
    if (this.#isDead) return never();
    const after = strikeAt({ ...at, side: 'after' });
    if (after?.action === 'crash') return this.#dieHere();
    if (after && client) {
      cut(client);
      throw new Error('Connection terminated unexpectedly');
    }
    if ('error' in sent) throw sent.error;
    return sent.value;
  }

  #dieHere<T>(): Promise<T> {
    this.die();
    return never();
  }
}

async function settled<T>(send: () => Promise<T>): Promise<{ readonly value: T } | { readonly error: unknown }> {
  try {
    return { value: await send() };
  } catch (error) {
    return { error };
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}

/** As a killed process leaves it: no goodbye, the socket is just gone. */
function cut(client: pg.Client): void {
  const { connection } = client as unknown as { connection?: { stream?: { destroy(): void } } };
  connection?.stream?.destroy();
}

/** Real time for others to run; none of it counts. */
export async function letOthersRun(): Promise<void> {
  await realSleep(1);
}
