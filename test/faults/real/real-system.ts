import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type QuickBooksSimulator, startQuickBooksSimulator } from '../../../src/simulators/quickbooks/simulator.js';
import { type StripeSimulator, startStripeSimulator } from '../../../src/simulators/stripe/simulator.js';
import { Control } from '../control.js';
import { type Receiver, startReceiver, type WebhookPost } from '../fast/receiver.js';
import type { Strike } from '../points.js';
import type { Answer, CallName, Calls, Job, System } from '../system.js';
import { AppProcess } from './app-process.js';
import { callApi } from './graphql-calls.js';
import { type RestartablePostgres, startRestartablePostgres } from './restartable-postgres.js';
import { SPEED } from './short-waits.js';

const VERIFIER_TOKEN = 'faults-verifier-token';
const API_KEY = 'faults-bootstrap-key-0123456789';
const ROLES = ['api', 'api', 'worker', 'worker'] as const;
const TASKS: Readonly<Record<Job, string>> = {
  processQboEvents: 'process_qbo_events',
  resumeOperations: 'resume_operations',
  workOffBulkInvoicing: 'wake_due_bulk_invoicings',
  sweepQboConnection: 'wake_due_sweeps',
  processStripeEvents: 'process_stripe_events',
  sweepStripeConnection: 'wake_due_sweeps',
};
/** What waits longer is not worth waiting for: everything that is due after days is due after this. */
const LONGEST_PAUSE_MS = 8_000;

/** Two APIs and two workers, each a process of its own, with a PostgreSQL that can be restarted. */
export class RealSystem implements System {
  readonly settlingMs: readonly number[] = Array.from({ length: 90 }, (_, round) => (round === 0 ? 0 : 500));
  /** Their timetable is kept by the minute. */
  readonly ownPaceMs = 60_000;
  readonly quickbooks: Control;
  readonly stripe: Control;
  readonly #directory: string;
  readonly #postgres: RestartablePostgres;
  readonly #simulators: Simulators;
  readonly #pool: pg.Pool;
  #processes: readonly AppProcess[] = [];
  #receiver: Receiver | undefined;
  #hits: string[] = [];
  #armed: readonly Strike[] = [];
  #receivedBy = 0;

  private constructor(directory: string, postgres: RestartablePostgres, simulators: Simulators) {
    this.#directory = directory;
    this.#postgres = postgres;
    this.#simulators = simulators;
    this.quickbooks = new Control(simulators.quickbooks.controlUrl);
    this.stripe = new Control(simulators.stripe.controlUrl);
    this.#pool = new pg.Pool({ connectionString: postgres.url, max: 4 });
    // The server is restarted under it on purpose.
    this.#pool.on('error', () => undefined);
  }

  /** @param program the compiled `process.js` */
  static async start(program: string): Promise<RealSystem> {
    // Named like those of the tests, so that a later run finds and ends what a killed one left behind.
    const directory = await mkdtemp(join(tmpdir(), `conference-invoicing-test-${process.pid}-`));
    await chmod(directory, 0o755);
    const postgres = await startRestartablePostgres(join(directory, 'postgres'));
    const quickbooks = await startQuickBooksSimulator({ clientId: 'app', clientSecret: 'app-secret' });
    const simulators = { quickbooks, stripe: await startStripeSimulator({ accounts: [] }) };
    const system = new RealSystem(directory, postgres, simulators);
    await system.#startProcesses(program);
    return system;
  }

  async #startProcesses(program: string): Promise<void> {
    const { baseUrl, tokenUrl, authorizeUrl, revokeUrl } = this.#simulators.quickbooks;
    const environment = {
      DATABASE_URL: this.#postgres.url,
      DATA_DIR: join(this.#directory, 'app'),
      PORT: '0',
      LOG_LEVEL: 'silent',
      ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      BOOTSTRAP_API_KEY: API_KEY,
      QBO_API_BASE_URL: baseUrl,
      QBO_TOKEN_URL: tokenUrl,
      QBO_AUTHORIZE_URL: authorizeUrl,
      QBO_REVOKE_URL: revokeUrl,
      QBO_CLIENT_ID: 'app',
      QBO_CLIENT_SECRET: 'app-secret',
      QBO_WEBHOOK_VERIFIER_TOKEN: VERIFIER_TOKEN,
      STRIPE_API_BASE_URL: this.#simulators.stripe.baseUrl,
    };
    const onHit = (point: string) => this.#noteHit(point);
    this.#processes = ROLES.map(
      (role) => new AppProcess({ program, environment: { ...environment, ROLE: role }, onHit }),
    );
    await Promise.all(this.#processes.map(({ url }) => url));
    this.#receiver = await startReceiver((received) => this.#forward(received));
    const url = `${this.#receiver.url}/qbo`;
    await this.quickbooks.call('POST', '/webhooks', { url, verifierToken: VERIFIER_TOKEN });
  }

  get stripeWebhooksUrl(): string {
    return `${this.#receiver?.url}/stripe`;
  }

  async call<N extends CallName>(api: 0 | 1, name: N, input: Calls[N]): Promise<Answer> {
    return callApi({ url: await this.#process(api).url, apiKey: API_KEY }, name, input);
  }

  /** Whichever worker is free takes the job, as it is with a queue. */
  async work(_worker: 0 | 1, job: Job, scope: string): Promise<void> {
    await this.sql('select graphile_worker.add_job($1, $2::json)', [TASKS[job], JSON.stringify({ companyId: scope })]);
  }

  arm(strikes: readonly Strike[]): void {
    this.#armed = strikes;
    for (const each of this.#processes) each.arm(strikes);
  }

  takeHits(): string[] {
    return this.#hits.splice(0);
  }

  /** They were answered as errors, like those of a database that is away. */
  takeErrors(): string[] {
    return [];
  }

  async skew(milliseconds: readonly number[]): Promise<void> {
    for (const [index, each] of this.#processes.entries()) each.shiftClock(milliseconds[index] ?? 0);
  }

  async advance(milliseconds: number): Promise<void> {
    await sleep(Math.min(milliseconds / SPEED, LONGEST_PAUSE_MS));
  }

  async settle(milliseconds: number): Promise<void> {
    await sleep(milliseconds);
  }

  /** Every third time it is the server that goes, with all that it had in memory. */
  async cutConnections(): Promise<void> {
    this.#receivedBy += 1;
    if (this.#receivedBy % 3 === 0) return this.#postgres.restart();
    await this.sql(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
  }

  /** The harness's own statements outlast a restart of the server. */
  async sql(text: string, parameters: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return (await this.#pool.query(text, [...parameters])).rows;
      } catch (error) {
        const isRefused = error instanceof pg.DatabaseError && !/^(57P|08)/.test(String(error.code));
        if (isRefused || attempt === 100) throw error;
        await sleep(100);
      }
    }
  }

  async stop(): Promise<void> {
    await this.#receiver?.stop();
    await Promise.all(this.#processes.map((each) => each.stop()));
    await this.#simulators.quickbooks.stop();
    await this.#simulators.stripe.stop();
    await this.#pool.end();
    await this.#postgres.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #process(index: number): AppProcess {
    const found = this.#processes[index];
    if (!found) throw new Error(`there is no process ${index}`);
    return found;
  }

  /** The others must not be struck there, too. */
  #noteHit(point: string): void {
    this.#hits.push(point);
    const [useCase, kind, n, side] = point.split('/');
    const isStruck = (strike: Strike) =>
      strike.useCase === useCase && strike.kind === kind && `${strike.n}` === n && strike.side === side;
    this.arm(this.#armed.filter((strike) => !isStruck(strike)));
  }

  /** Providers know one address, behind which a balancer picks a process. */
  async #forward({ path, body, headers }: WebhookPost): Promise<number | undefined> {
    this.#receivedBy += 1;
    const url = await this.#process(this.#receivedBy % 2).url;
    const isOfStripe = path.startsWith('/webhooks/stripe/');
    const signed = isOfStripe ? 'stripe-signature' : 'intuit-signature';
    try {
      const response = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-faults-use-case': isOfStripe ? 'receiveStripeWebhook' : 'receiveWebhook',
          [signed]: headers[signed] ?? '',
        },
        body: new Uint8Array(body),
      });
      return response.status;
    } catch {
      return undefined;
    }
  }
}

interface Simulators {
  readonly quickbooks: QuickBooksSimulator;
  readonly stripe: StripeSimulator;
}
