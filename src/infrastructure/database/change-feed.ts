import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Alarm, ChangeFeed } from '../../application/ports/change-feed.js';
import type { Logger } from '../observability/logger.js';

/** Triggers tell on it the ids of what changed, separated by a space, when their transaction is committed. */
const CHANNEL = 'change';

/** A connection that a network swallowed is noticed after this time: PostgreSQL sends nothing by itself. */
const PROBE_MS = 10_000;
const ANSWER_MS = 5_000;

/** A restart of PostgreSQL takes about a second. */
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;

export interface ChangeFeedOptions {
  readonly databaseUrl: string;
  readonly logger: Logger;
  /** Told when it begins, and ceases, to hear of changes. */
  readonly onListening: (isListening: boolean) => void;
}

/**
 * Hears of changes on one connection of its own, whichever process makes them, and rings the alarms of their ids. What
 * happens while it is not connected nobody tells it, so it rings every alarm once it is connected again.
 */
export class PostgresChangeFeed implements ChangeFeed {
  readonly #options: ChangeFeedOptions;
  readonly #alarms = new Map<string, Set<Bell>>();
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
    this.#running = this.#keepListening();
  }

  watch(id: string, until: AbortSignal): Alarm {
    const bell = new Bell();
    const bells = this.#alarms.get(id) ?? new Set();
    this.#alarms.set(id, bells.add(bell));
    const remove = () => {
      bells.delete(bell);
      if (bells.size === 0) this.#alarms.delete(id);
      bell.ring();
    };
    if (until.aborted) remove();
    else until.addEventListener('abort', remove, { once: true });
    return bell;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #keepListening(): Promise<void> {
    const { signal } = this.#stopping;
    const { logger, onListening } = this.#options;
    let retryMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      try {
        await this.#listen(() => {
          onListening(true);
          retryMs = FIRST_RETRY_MS;
          for (const id of this.#alarms.keys()) this.#ring(id);
        });
      } catch (error) {
        if (!signal.aborted) logger.warn({ err: error }, 'changes cannot be heard of; listening anew');
      }
      onListening(false);
      await delay(retryMs, undefined, { signal }).catch(() => undefined);
      retryMs = Math.min(2 * retryMs, MAX_RETRY_MS);
    }
  }

  /** Listens until the connection ends, which throws, or the feed is stopped. */
  async #listen(onListening: () => void): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#options.databaseUrl,
      connectionTimeoutMillis: ANSWER_MS,
      query_timeout: ANSWER_MS,
    });
    const ended = new AbortController();
    // The loss of the connection comes as an error, too; the next probe throws it.
    client.on('error', () => undefined);
    client.once('end', () => ended.abort());
    client.on('notification', ({ payload = '' }) => payload.split(' ').forEach((id) => void this.#ring(id)));
    const interruption = AbortSignal.any([ended.signal, this.#stopping.signal]);
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
      onListening();
      while (!this.#stopping.signal.aborted) {
        await delay(PROBE_MS, undefined, { signal: interruption }).catch(() => undefined);
        await client.query('select 1');
      }
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  #ring(id: string): void {
    for (const bell of this.#alarms.get(id) ?? []) bell.ring();
  }
}

class Bell implements Alarm {
  #ringing = Promise.withResolvers<void>();

  async rung(): Promise<void> {
    await this.#ringing.promise;
    this.#ringing = Promise.withResolvers();
  }

  ring(): void {
    this.#ringing.resolve();
  }
}
