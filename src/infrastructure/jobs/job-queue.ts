import { makeWorkerUtils, type WorkerUtils } from 'graphile-worker';
import type { JobQueue } from '../../application/ports/jobs.js';
import type { DueSweep } from '../../application/sweeps.js';
import type { Clock } from '../../domain/clock.js';
import type { Logger } from '../observability/logger.js';
import { queueLogger } from './queue-logger.js';

/**
 * A job for every stored event would cost three quarters of the webhook throughput; one keyed job per company for
 * whatever came in within this time costs nothing measurable, and nobody notices the delay.
 */
const COALESCE_MS = 25;

/** A greater number is a lower priority, and all others have 0: nobody waits for a bulk as for a webhook. */
const BULK_PRIORITY = 10;

/** Whose events they are. */
interface InboxOwner {
  readonly provider: string;
  readonly companyId: string;
}

/** Adds wake-up jobs to graphile-worker's queue. A wake-up that is lost is made up for by a periodic job. */
export class GraphileJobQueue implements JobQueue {
  readonly #utils: WorkerUtils;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #waiting = new Map<string, NodeJS.Timeout>();
  readonly #adding = new Set<Promise<void>>();

  private constructor(utils: WorkerUtils, logger: Logger, clock: Clock) {
    this.#utils = utils;
    this.#logger = logger;
    this.#clock = clock;
  }

  /** `clock`: the database's, by which the queue decides what is due. */
  static async connect(databaseUrl: string, logger: Logger, clock: Clock): Promise<GraphileJobQueue> {
    const options = { connectionString: databaseUrl, maxPoolSize: 2, logger: queueLogger(logger) };
    const utils = await makeWorkerUtils(options);
    return new GraphileJobQueue(utils, logger, clock);
  }

  wakeWebhookWorker(provider: string, companyId: string): void {
    const key = `${provider}:${companyId}`;
    if (this.#waiting.has(key)) return;
    const timer = setTimeout(() => {
      this.#waiting.delete(key);
      this.#track(this.wakeWebhookWorkerAt({ provider, companyId }, this.#clock.now(), key));
    }, COALESCE_MS);
    this.#waiting.set(key, timer);
  }

  /** `jobKey`: a job with the same key that has not begun yet is replaced. */
  async wakeWebhookWorkerAt({ provider, companyId }: InboxOwner, runAt: Date, jobKey: string): Promise<void> {
    const task = `process_${provider.toLowerCase()}_events`;
    await this.#utils.addJob(task, { companyId }, { jobKey, runAt, maxAttempts: 3 });
  }

  resumeOperationsIn(delayMs: number): void {
    const runAt = new Date(this.#clock.now().getTime() + delayMs);
    // Of wake-ups after the same time the first one is kept: what it leaves unsettled asks for another.
    const options = {
      jobKey: `resume_operations:${delayMs}`,
      jobKeyMode: 'preserve_run_at',
      runAt,
      maxAttempts: 1,
    } as const;
    this.#track(this.#utils.addJob('resume_operations', {}, options).then(() => undefined));
  }

  wakeBulkInvoicing(bulkInvoicingId: string): void {
    this.#track(this.wakeBulkInvoicingAt(bulkInvoicingId, this.#clock.now()));
  }

  /** A failed one is repeated by the periodic job. */
  async wakeBulkInvoicingAt(bulkInvoicingId: string, runAt: Date): Promise<void> {
    const options = { jobKey: `bulk:${bulkInvoicingId}`, runAt, maxAttempts: 1, priority: BULK_PRIORITY };
    await this.#utils.addJob('work_off_bulk_invoicing', { bulkInvoicingId }, options);
  }

  /** One that waits is replaced; a failed one is not repeated, because it says itself when it is due again. */
  async addSweep({ provider, connectionId, companyId }: DueSweep, runAt: Date): Promise<void> {
    const options = { jobKey: `sweep:${connectionId}`, runAt, maxAttempts: 1 };
    await this.#utils.addJob(`sweep_${provider.toLowerCase()}_connection`, { connectionId, companyId }, options);
  }

  async stop(): Promise<void> {
    for (const timer of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
    await Promise.allSettled(this.#adding);
    await this.#utils.release();
  }

  #track(adding: Promise<void>): void {
    const tracked = adding
      .catch((error: unknown) => this.#logger.warn({ err: error }, 'a wake-up job could not be added'))
      .finally(() => this.#adding.delete(tracked));
    this.#adding.add(tracked);
  }
}
