import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type Runner, run, type Task, type TaskList } from 'graphile-worker';
import { z } from 'zod';
import { dueBulkInvoicings, workOffBulkInvoicing } from '../../application/bulk-invoicing/work-off-bulk-invoicing.js';
import { removeExpiredIdempotencyKeys } from '../../application/idempotency.js';
import type { InvoicingContext } from '../../application/invoicing/invoicing-context.js';
import { resumeOperations } from '../../application/invoicing/resume-operations.js';
import { forgetChanges } from '../../application/live/forget-changes.js';
import { dueQboSweeps } from '../../application/quickbooks/due-sweeps.js';
import { sweepQboConnection } from '../../application/quickbooks/sweep-qbo-connection.js';
import { dueStripeSweeps, sweepStripeConnection } from '../../application/stripe/sweep-stripe-connection.js';
import type { SweepReport } from '../../application/sweeps.js';
import { nextDueEvent, pendingCompanies } from '../../application/webhooks/pending-events.js';
import { processQboEvents } from '../../application/webhooks/process-qbo-events.js';
import { processStripeEvents } from '../../application/webhooks/process-stripe-events.js';
import { removeFinishedEvents } from '../../application/webhooks/remove-finished-events.js';
import type { InvoiceProvider } from '../../domain/invoice/invoice.status.js';
import type { Logger } from '../observability/logger.js';
import type { GraphileJobQueue } from './job-queue.js';
import { queueLogger } from './queue-logger.js';
import { withSessionLock } from './session-lock.js';

export interface WorkerOptions {
  readonly databaseUrl: string;
  readonly logger: Logger;
  readonly jobs: GraphileJobQueue;
  /** A context with an entity manager of its own, acting for the system, in the name of a provider. */
  readonly createContext: (provider?: Provider) => InvoicingContext;
  readonly onSweep: (provider: Provider, report: SweepReport) => void;
}

/** Companies are worked on in parallel, each one's events one after the other. */
const CONCURRENCY = 4;

/** Once a minute: finds events whose wake-up was lost or whose worker died, and operations whose process died. */
const CRONTAB = `
* * * * * wake_pending_companies ?max=1
* * * * * resume_operations ?max=1
* * * * * wake_due_bulk_invoicings ?max=1
* * * * * wake_due_sweeps ?max=1
17 * * * * remove_expired_idempotency_keys ?max=1
47 3 * * * remove_finished_events ?max=1
52 3 * * * forget_changes ?max=1
`;

export interface RunningWorker {
  /** Takes no new jobs and waits for those at work. */
  stop(): Promise<void>;
}

/** The database may be away for longer; then this is repeated. */
const RESTART_MS = 1_000;

/** A runner that ends by itself has nothing left to wait for but answers on connections that are gone. */
const LEAVE_MS = 5_000;

/**
 * Runs the background work until it is stopped. A job runner gives up when the database is cut off while it writes down
 * what became of a job: then another one is started, as often as it takes. What was begun is found by its rows.
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const stopping = new AbortController();
  let runner: Runner | undefined = await startRunner(options);
  const running = (async () => {
    while (!stopping.signal.aborted) {
      try {
        runner ??= await startRunner(options);
        // It may have been told to stop while it started.
        await (stopping.signal.aborted ? runner.stop() : Promise.race([runner.promise, lost(runner, stopping.signal)]));
      } catch (error) {
        options.logger.warn({ err: error }, 'the job runner ended and is started again');
      }
      runner = undefined;
      await delay(RESTART_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await runner?.stop();
      await running;
    },
  };
}

/**
 * Fails a while after the runner gave up by itself: its promise may never tell. It was seen without connections and
 * workers, waiting for ever, after PostgreSQL was restarted.
 */
async function lost(runner: Runner, stopping: AbortSignal): Promise<never> {
  await once(runner.events, 'pool:gracefulShutdown');
  // Nothing is to be waited for once it is stopped: a timer would keep the process.
  const isLost = await delay(LEAVE_MS, true, { signal: stopping }).catch(() => false);
  if (!isLost) return new Promise(() => undefined);
  // Its timetable goes on otherwise. Nobody waits for the rest of it.
  runner.stop().catch(() => undefined);
  throw new Error('it shut down and did not end');
}

async function startRunner(options: WorkerOptions): Promise<Runner> {
  return run({
    connectionString: options.databaseUrl,
    // Each job may hold a session for its lock, and the queue needs some for itself.
    maxPoolSize: 2 * CONCURRENCY + 2,
    concurrency: CONCURRENCY,
    noHandleSignals: true,
    // Only with these the runner notices when it cannot write down what became of a job: without, Node ends the process.
    preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
    taskList: createTasks(options),
    crontab: CRONTAB,
    logger: queueLogger(options.logger),
  });
}

/** A company that another worker is at work on is looked at again after this time. */
const BUSY_MS = 1_000;

const eventsPayload = z.object({ companyId: z.string() });
const bulkPayload = z.object({ bulkInvoicingId: z.string() });
const sweepPayload = z.object({ connectionId: z.string(), companyId: z.string() });

type Provider = `${InvoiceProvider}`;

/** What the worker does for one provider. */
interface ProviderWork {
  readonly provider: Provider;
  readonly processEvents: (context: InvoicingContext, companyId: string) => Promise<number>;
  readonly sweep: (context: InvoicingContext, connectionId: string) => Promise<SweepReport>;
}

const QUICKBOOKS: ProviderWork = { provider: 'QBO', processEvents: processQboEvents, sweep: sweepQboConnection };
const STRIPE: ProviderWork = { provider: 'STRIPE', processEvents: processStripeEvents, sweep: sweepStripeConnection };

function createTasks(options: WorkerOptions): TaskList {
  const { jobs, createContext, logger } = options;
  return {
    process_qbo_events: eventsTask(options, QUICKBOOKS),
    process_stripe_events: eventsTask(options, STRIPE),
    wake_pending_companies: async () => {
      const companies = await pendingCompanies(createContext());
      for (const { provider, companyId } of companies) jobs.wakeWebhookWorker(provider, companyId);
    },
    wake_due_sweeps: async () => {
      const context = createContext();
      const due = [...(await dueQboSweeps(context)), ...(await dueStripeSweeps(context))];
      for (const sweep of due) await jobs.addSweep(sweep, context.clock.now());
    },
    sweep_qbo_connection: sweepTask(options, QUICKBOOKS),
    sweep_stripe_connection: sweepTask(options, STRIPE),
    resume_operations: async () => {
      const count = await resumeOperations(createContext());
      if (count > 0) logger.info({ operations: count }, 'unfinished provider operations resumed');
    },
    work_off_bulk_invoicing: bulkTask(options),
    wake_due_bulk_invoicings: async () => {
      for (const id of await dueBulkInvoicings(createContext())) jobs.wakeBulkInvoicing(id);
    },
    remove_expired_idempotency_keys: async () => removeExpiredIdempotencyKeys(createContext()),
    remove_finished_events: async () => {
      const count = await removeFinishedEvents(createContext());
      if (count > 0) logger.info({ events: count }, 'old webhook events removed');
    },
    forget_changes: async () => {
      const count = await forgetChanges(createContext());
      if (count > 0) logger.info({ changes: count }, 'old changes of purchase orders forgotten');
    },
  };
}

/** Works off the events of a company, or of a connection, under its lock. */
function eventsTask({ jobs, createContext, logger }: WorkerOptions, { provider, processEvents }: ProviderWork): Task {
  return async (payload, { withPgClient }) => {
    const { companyId } = eventsPayload.parse(payload);
    const context = createContext(provider);
    const isDone = await withPgClient((session) =>
      withSessionLock(session, lockName(provider, companyId), async () => {
        const count = await processEvents(context, companyId);
        if (count > 0) logger.info({ provider, companyId, events: count }, 'webhook events processed');
      }),
    );
    // Events that were postponed or failed are due later: a job of their own looks at them then.
    const dueAt = isDone ? await nextDueEvent(context.em, provider, companyId) : afterBusy(context);
    if (dueAt) await jobs.wakeWebhookWorkerAt({ provider, companyId }, dueAt, `${provider}:${companyId}:later`);
  };
}

/** The lock is that of the company's events: a sweep would read what they are about to read. */
function sweepTask({ jobs, createContext, onSweep }: WorkerOptions, { provider, sweep }: ProviderWork): Task {
  return async (payload, { withPgClient }) => {
    const due = sweepPayload.parse(payload);
    const context = createContext(provider);
    const isDone = await withPgClient((session) =>
      withSessionLock(session, lockName(provider, due.companyId), async () => {
        onSweep(provider, await sweep(context, due.connectionId));
      }),
    );
    if (!isDone) await jobs.addSweep({ provider, ...due }, afterBusy(context));
  };
}

/** One turn of a bulk under its lock, so that two do not get into each other's way. The next one queues up again. */
function bulkTask({ jobs, createContext, logger }: WorkerOptions): Task {
  return async (payload, { withPgClient }) => {
    const { bulkInvoicingId } = bulkPayload.parse(payload);
    const context = createContext('QBO');
    const onUnforeseen = (error: unknown) =>
      logger.warn({ err: error, bulkInvoicingId }, 'orders of a bulk of invoices were put off: something went wrong');
    let dueAt: Date | undefined;
    const isDone = await withPgClient((session) =>
      withSessionLock(session, bulkInvoicingId, async () => {
        dueAt = await workOffBulkInvoicing(context, bulkInvoicingId, onUnforeseen);
        if (!dueAt) logger.info({ bulkInvoicingId }, 'a bulk of invoices is finished');
      }),
    );
    const nextTurn = isDone ? dueAt : afterBusy(context);
    if (nextTurn) await jobs.wakeBulkInvoicingAt(bulkInvoicingId, nextTurn);
  };
}

function lockName(provider: Provider, companyId: string): string {
  return `${provider.toLowerCase()}:${companyId}`;
}

function afterBusy({ clock }: InvoicingContext): Date {
  return new Date(clock.now().getTime() + BUSY_MS);
}
