import type { MikroORM } from '@mikro-orm/postgresql';
import { z } from 'zod';
import type { Waits } from '../../application/waits.js';
import type { CallEffect } from './faults.js';
import { remainingMs } from './postgres-token-store.js';
import type { Pause } from './token-store.js';
import type { Bucket, CallCount, PauseSteps, TrafficStore } from './traffic-store.js';

/** Calls that may follow each other at once after a rest. `callSpacingMs` counts on this number. */
const BURST = 2;

const placeRows = z.array(z.object({ wait_ms: z.coerce.number() }));
const pauseRows = z.tuple([z.object({ remaining_ms: z.coerce.number(), count: z.int() })]);

const PAUSE_COLUMNS = {
  read: { until: 'reads_paused_until', count: 'reads_pauses' },
  write: { until: 'writes_paused_until', count: 'writes_pauses' },
} as const;

type Spacings = Pick<Waits, 'callSpacingMs' | 'batchSpacingMs'>;

/** Single statements outside of any transaction. All times are the database's: processes' clocks differ. */
export class PostgresTrafficStore implements TrafficStore {
  readonly #orm: MikroORM;
  readonly #spacingMs: Readonly<Record<Bucket, number>>;

  constructor(orm: MikroORM, { callSpacingMs, batchSpacingMs }: Spacings) {
    this.#orm = orm;
    this.#spacingMs = { CALL: callSpacingMs, BATCH: batchSpacingMs };
  }

  /**
   * The generic cell rate algorithm: a row says when the next call is due if they come evenly spaced, and each call
   * moves it on by one spacing. A place is reserved at once, so nobody has to ask twice, and who came first goes first.
   */
  async takePlace(connectionId: string, buckets: readonly Bucket[], maxWaitMs: number): Promise<number | undefined> {
    const wanted = buckets.map((bucket) => [bucket, this.#spacingMs[bucket]] as const);
    const rows = await this.#execute(
      `insert into qbo_throttle as place (connection_id, bucket, next_at)
       select ?, wanted.bucket, now() + wanted.spacing
       from (values ${wanted.map(() => "(?, ?::float8 * interval '1 millisecond')").join(', ')}) as wanted (bucket, spacing)
       on conflict (connection_id, bucket) do update
         set next_at = greatest(place.next_at, now()) + (excluded.next_at - now())
         where place.next_at - (excluded.next_at - now()) * ${BURST - 1} <= now() + ? * interval '1 millisecond'
       returning floor(extract(epoch from next_at - now()) * 1000)
         - case bucket ${wanted.map(() => 'when ? then ?::float8').join(' ')} end as wait_ms`,
      [connectionId, ...wanted.flat(), maxWaitMs, ...wanted.flatMap(([bucket, spacing]) => [bucket, spacing * BURST])],
    );
    const waits = placeRows.parse(rows).map(({ wait_ms }) => wait_ms);
    return waits.length < buckets.length ? undefined : Math.max(0, ...waits);
  }

  async pause(connectionId: string, effect: CallEffect, stepsMs: PauseSteps): Promise<Pause> {
    const { until, count } = PAUSE_COLUMNS[effect];
    const rows = await this.#execute(
      `update qbo_connection
       set ${count} = case when ${until} > now() then ${count} else ${count} + 1 end,
           ${until} = case when ${until} > now() then ${until}
             else now() + (array[?, ?, ?, ?]::float8[])[least(${count} + 1, 4)] * interval '1 millisecond' end
       where id = ? returning ${remainingMs(until)} as remaining_ms, ${count} as count`,
      [...stepsMs, connectionId],
    );
    return onlyPause(rows);
  }

  async loadPause(connectionId: string, effect: CallEffect): Promise<Pause> {
    const { until, count } = PAUSE_COLUMNS[effect];
    const rows = await this.#execute(
      `select ${remainingMs(until)} as remaining_ms, ${count} as count from qbo_connection where id = ?`,
      [connectionId],
    );
    return onlyPause(rows);
  }

  async forgetPauses(connectionId: string, effect: CallEffect, count: number): Promise<void> {
    const columns = PAUSE_COLUMNS[effect];
    await this.#execute(
      `update qbo_connection set ${columns.count} = 0, ${columns.until} = null where id = ? and ${columns.count} = ?`,
      [connectionId, count],
    );
  }

  async addUsage(counts: readonly CallCount[]): Promise<void> {
    await this.#execute(
      `insert into qbo_usage as usage (connection_id, month, reads, writes)
       select connection_id, date_trunc('month', now() at time zone 'UTC')::date, reads, writes
       from (values ${counts.map(() => '(?, ?::int, ?::int)').join(', ')}) as counted (connection_id, reads, writes)
       on conflict (connection_id, month) do update
         set reads = usage.reads + excluded.reads, writes = usage.writes + excluded.writes`,
      counts.flatMap(({ connectionId, reads, writes }) => [connectionId, reads, writes]),
    );
  }

  #execute(sql: string, parameters: unknown[]): Promise<unknown> {
    return this.#orm.em.fork().getConnection().execute(sql, parameters);
  }
}

function onlyPause(rows: unknown): Pause {
  const [{ remaining_ms, count }] = pauseRows.parse(rows);
  return { remainingMs: Math.round(remaining_ms), count };
}
