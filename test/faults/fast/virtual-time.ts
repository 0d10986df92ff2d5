import type pg from 'pg';

/** The time of a story: the machine's time plus what was skipped. It reaches processes, database and simulator alike. */
export class VirtualTime {
  #aheadMs = 0;
  #unseenMs = 0;
  readonly #admin: pg.Client;
  readonly #advanceSimulator: (seconds: number) => Promise<unknown>;

  constructor(admin: pg.Client, advanceSimulator: (seconds: number) => Promise<unknown>) {
    this.#admin = admin;
    this.#advanceSimulator = advanceSimulator;
  }

  get aheadMs(): number {
    return this.#aheadMs;
  }

  now(): number {
    return Date.now() + this.#aheadMs;
  }

  async advance(milliseconds: number): Promise<void> {
    this.#aheadMs += milliseconds;
    this.#unseenMs += milliseconds;
    // The simulator's clock moves in whole seconds, and many short sleeps need not be told one by one.
    const seconds = Math.trunc(this.#unseenMs / 1000);
    if (seconds === 0) return;
    this.#unseenMs -= seconds * 1000;
    await this.#admin.query(`update fault_time set ahead = $1 * interval '1 millisecond'`, [this.#aheadMs]);
    await this.#advanceSimulator(seconds);
  }
}

/** A `now()` that is found before PostgreSQL's own, so that time can also be skipped in SQL. */
export const VIRTUAL_NOW = `
  create table fault_time (ahead interval not null);
  insert into fault_time values ('0');
  create function now() returns timestamptz language sql stable
    as $$ select pg_catalog.now() + (select ahead from public.fault_time) $$;
  create function clock_timestamp() returns timestamptz language sql volatile
    as $$ select pg_catalog.clock_timestamp() + (select ahead from public.fault_time) $$;
`;
