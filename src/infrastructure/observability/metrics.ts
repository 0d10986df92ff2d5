import type { MikroORM } from '@mikro-orm/postgresql';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { z } from 'zod';

/** Everything `GET /metrics` shows. Names follow Prometheus: units in the name, totals end in `_total`. */
export class Metrics {
  readonly registry = new Registry();

  readonly graphqlOperations = new Histogram({
    name: 'graphql_operation_duration_seconds',
    help: 'GraphQL operations by type and outcome.',
    labelNames: ['type', 'outcome'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.registry],
  });

  readonly graphqlRefusals = new Counter({
    name: 'graphql_refused_total',
    help: 'GraphQL requests that exceeded a limit, by limit.',
    labelNames: ['limit'],
    registers: [this.registry],
  });

  readonly streamsOpen = new Gauge({
    name: 'graphql_streams_open',
    help: 'Subscriptions that this process serves at the moment.',
    registers: [this.registry],
  });

  readonly streamEvents = new Counter({
    name: 'graphql_stream_events_total',
    help: 'What was sent to subscribers.',
    registers: [this.registry],
  });

  readonly streamLag = new Histogram({
    name: 'graphql_stream_lag_seconds',
    help: 'From a change in the database until it was sent to a subscriber.',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [this.registry],
  });

  readonly changeFeedListening = new Gauge({
    name: 'change_feed_listening',
    help: '1 while this process hears from PostgreSQL of changes; 0: subscribers are told after it does again.',
    registers: [this.registry],
  });

  readonly quickbooksCalls = new Histogram({
    name: 'quickbooks_call_duration_seconds',
    help: 'Calls to QuickBooks by operation and outcome.',
    labelNames: ['operation', 'outcome'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [this.registry],
  });

  readonly stripeCalls = new Histogram({
    name: 'stripe_call_duration_seconds',
    help: 'Calls to Stripe by operation and outcome.',
    labelNames: ['operation', 'outcome'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [this.registry],
  });

  readonly quickbooksBreakers = new Gauge({
    name: 'quickbooks_breaker_open',
    help: '1 while this process leaves a QuickBooks company alone because its calls kept failing, by connection.',
    labelNames: ['connection'],
    registers: [this.registry],
  });

  readonly webhookRequests = new Counter({
    name: 'webhook_requests_total',
    help: 'Webhook requests by provider and HTTP status.',
    labelNames: ['provider', 'status'],
    registers: [this.registry],
  });

  readonly quickbooksSweeps = new Counter({
    name: 'quickbooks_sweeps_total',
    help: 'Looks at what changed in QuickBooks, by outcome.',
    labelNames: ['outcome'],
    registers: [this.registry],
  });

  readonly quickbooksGaps = new Counter({
    name: 'quickbooks_webhook_gaps_total',
    help: 'Sweeps that found something which a webhook should have told.',
    registers: [this.registry],
  });

  readonly stripeSweeps = new Counter({
    name: 'stripe_sweeps_total',
    help: 'Looks at what happened in Stripe, by outcome.',
    labelNames: ['outcome'],
    registers: [this.registry],
  });

  readonly stripeGaps = new Counter({
    name: 'stripe_webhook_gaps_total',
    help: 'Sweeps that found something which a webhook of Stripe should have told.',
    registers: [this.registry],
  });

  constructor(orm: MikroORM) {
    collectDefaultMetrics({ register: this.registry });
    for (const outcome of ['done', 'failed', 'nothing_to_watch']) this.quickbooksSweeps.inc({ outcome }, 0);
    for (const outcome of ['done', 'failed']) this.stripeSweeps.inc({ outcome }, 0);
    this.#countRows(orm, {
      name: 'webhook_events',
      help: 'Stored webhook events that are not finished, by state (RECEIVED waits, PROCESSING is worked on, DEAD needs a person).',
      label: 'state',
      values: ['RECEIVED', 'PROCESSING', 'DEAD'],
      // One by one: so each is counted in a small index of its own.
      sql: `select 'RECEIVED' as value, count(*)::int as count from webhook_event where state = 'RECEIVED'
            union all select 'PROCESSING', count(*)::int from webhook_event where state = 'PROCESSING'
            union all select 'DEAD', count(*)::int from webhook_event where state = 'DEAD'`,
    });
    this.#measure(orm, {
      name: 'webhook_event_oldest_waiting_seconds',
      help: 'Age of the oldest webhook event that is RECEIVED or PROCESSING; 0 when none is.',
      // Materialised, so that the few that wait are found by their own index, not by walking through all finished ones.
      sql: `with waiting as materialized (select received_at from webhook_event where state in ('RECEIVED', 'PROCESSING'))
            select coalesce(greatest(extract(epoch from now() - min(received_at)), 0), 0)::float8 as value from waiting`,
    });
    this.#measure(orm, {
      name: 'bulk_invoicing_oldest_unfinished_seconds',
      help: 'Age of the oldest bulk of invoices in which an order has no result yet; 0 when there is none.',
      sql: `select coalesce(greatest(extract(epoch from now() - min(created_at)), 0), 0)::float8 as value
            from bulk_invoicing where finished_at is null`,
    });
    this.#countRows(orm, {
      name: 'provider_operations_open',
      help: 'Writes to providers that are not settled, by state.',
      label: 'state',
      values: ['CLAIMED', 'IN_FLIGHT', 'UNKNOWN'],
      sql: `select state as value, count(*)::int as count from provider_operation
            where state in ('CLAIMED', 'IN_FLIGHT', 'UNKNOWN') group by state`,
    });
    this.#countRows(orm, {
      name: 'qbo_connections',
      help: 'QuickBooks connections by status; RECONNECT_REQUIRED needs a person.',
      label: 'status',
      values: ['CONNECTED', 'RECONNECT_REQUIRED'],
      sql: 'select status as value, count(*)::int as count from qbo_connection group by status',
    });
    this.#countRows(orm, {
      name: 'stripe_connections',
      help: 'Stripe connections by status; RECONNECT_REQUIRED needs a person.',
      label: 'status',
      values: ['CONNECTED', 'RECONNECT_REQUIRED'],
      sql: 'select status as value, count(*)::int as count from stripe_connection group by status',
    });
    this.#measureRealms(orm, {
      name: 'qbo_refresh_token_seconds_left',
      help: 'Until a QuickBooks company must be reconnected: limit "unused" begins anew with each new refresh token, "hard" never.',
      label: 'limit',
      sql: `select environment, realm_id as realm, 'unused' as label, extract(epoch from refresh_token_expires_at - now())::float8 as value
            from qbo_connection where refresh_token_expires_at is not null and status = 'CONNECTED'
            union all select environment, realm_id, 'hard', extract(epoch from refresh_token_hard_expires_at - now())::float8
            from qbo_connection where refresh_token_hard_expires_at is not null and status = 'CONNECTED'`,
    });
    this.#measureRealms(orm, {
      name: 'qbo_paused_seconds',
      help: 'How long calls to a QuickBooks company remain paused after a 429, by effect (read, write); 0: not paused.',
      label: 'effect',
      sql: `select environment, realm_id as realm, label, greatest(0, coalesce(extract(epoch from until - now()), 0))::float8 as value
            from qbo_connection,
              lateral (values ('read', reads_paused_until), ('write', writes_paused_until)) as pause (label, until)`,
    });
    this.#measureRealms(orm, {
      name: 'qbo_calls_this_month',
      help: 'Successful calls to a QuickBooks company in this month (UTC), by effect. Intuit meters the reads.',
      label: 'effect',
      sql: `select environment, realm_id as realm, label, coalesce(count, 0)::float8 as value
            from qbo_connection left join qbo_usage
                on qbo_connection.id = connection_id and month = date_trunc('month', now() at time zone 'UTC')::date,
              lateral (values ('read', reads), ('write', writes)) as calls (label, count)`,
    });
  }

  #measure(orm: MikroORM, { name, help, sql }: Omit<DatabaseGauge, 'label'>): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      async collect() {
        const [{ value }] = numbers.parse(await orm.em.fork().execute(sql));
        this.set(value);
      },
    });
  }

  /** Every value is there, also with nothing to count: an alert on a series that vanished would never end. */
  #countRows(orm: MikroORM, { name, help, label, values, sql }: RowCount): void {
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      async collect() {
        const rows = counts.parse(await orm.em.fork().execute(sql));
        this.reset();
        for (const value of values) this.set({ [label]: value }, 0);
        for (const { value, count } of rows) this.set({ [label]: value }, count);
      },
    });
  }

  #measureRealms(orm: MikroORM, { name, help, label, sql }: DatabaseGauge): void {
    new Gauge({
      name,
      help,
      labelNames: ['environment', 'realm', label],
      registers: [this.registry],
      async collect() {
        const rows = measures.parse(await orm.em.fork().execute(sql));
        this.reset();
        for (const row of rows) {
          this.set({ environment: row.environment, realm: row.realm, [label]: row.label }, row.value);
        }
      },
    });
  }
}

/** What is measured in the database at each scrape. */
interface DatabaseGauge {
  readonly name: string;
  readonly help: string;
  readonly label: string;
  readonly sql: string;
}

interface RowCount extends DatabaseGauge {
  readonly values: readonly string[];
}

const numbers = z.tuple([z.object({ value: z.number() })]);
const counts = z.array(z.object({ value: z.string(), count: z.int() }));
const measures = z.array(
  z.object({ environment: z.string(), realm: z.string(), label: z.string(), value: z.number() }),
);
