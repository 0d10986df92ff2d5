import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { InvoicingContext } from '../../../src/application/invoicing/invoicing-context.js';
import { standardWaits, type Waits } from '../../../src/application/waits.js';
import { findStripeEndpoint } from '../../../src/application/webhooks/find-stripe-endpoint.js';
import { storeWebhookEvents } from '../../../src/application/webhooks/store-webhook-events.js';
import { ALL_GRANTS } from '../../../src/domain/access/grants.js';
import { ActorKind } from '../../../src/domain/audit/actor.js';
import { randomIds } from '../../../src/domain/ids.js';
import { withSessionLock } from '../../../src/infrastructure/jobs/session-lock.js';
import { QuickBooksGateway } from '../../../src/infrastructure/quickbooks/gateway.js';
import { PostgresTokenStore } from '../../../src/infrastructure/quickbooks/postgres-token-store.js';
import { PostgresTrafficStore } from '../../../src/infrastructure/quickbooks/postgres-traffic-store.js';
import { QuickBooksWebhooks } from '../../../src/infrastructure/quickbooks/webhooks.js';
import { JweSecretBox } from '../../../src/infrastructure/secret-box.js';
import { StripeGateway } from '../../../src/infrastructure/stripe/gateway.js';
import { PostgresKeyStore } from '../../../src/infrastructure/stripe/postgres-key-store.js';
import { StripeWebhooks } from '../../../src/infrastructure/stripe/webhooks.js';
import { type QuickBooksSimulator, startQuickBooksSimulator } from '../../../src/simulators/quickbooks/simulator.js';
import { type StripeSimulator, startStripeSimulator } from '../../../src/simulators/stripe/simulator.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { Control } from '../control.js';
import { nameOf, type Point, type Strike } from '../points.js';
import type { Answer, CallName, Calls, Job, System } from '../system.js';
import { type Counts, Instance, letOthersRun, type Run } from './instance.js';
import { type Receiver, startReceiver, type WebhookPost } from './receiver.js';
import type { UseCases } from './use-cases.js';
import { VIRTUAL_NOW, VirtualTime } from './virtual-time.js';

const VERIFIER_TOKEN = 'faults-verifier-token';

/** Most waits are skipped. These are real: nothing takes that long, also on a busy machine, unless a fault makes it. */
const waits: Waits = {
  ...standardWaits,
  callTimeoutMs: 300,
  tokenTimeoutMs: 300,
  retryDelayMs: 1,
  retryDelayMaxMs: 5,
  breakerOpenMs: 30,
  newTokenMs: 1_000,
  callSpacingMs: 0,
  batchSpacingMs: 0,
  // It would be a statement of whatever use case is at work when it is due.
  usageFlushMs: 600_000,
};

/** Two APIs and two workers as instances within this process. */
export class FastSystem implements System {
  /** Minutes that pass at once: long enough for every lease, window and back-off. */
  readonly settlingMs = [0, 1, 16, 16, 65, 65, 130, 130, 130, 1500, 1500].map((minutes) => minutes * 60_000);
  readonly ownPaceMs = undefined;
  readonly quickbooks: Control;
  readonly stripe: Control;
  readonly #database: TestDatabase;
  readonly #admin: pg.Client;
  readonly #simulators: Simulators;
  readonly #time: VirtualTime;
  readonly #useCases: UseCases;
  readonly #secrets = new JweSecretBox([{ id: 'k1', secret: new Uint8Array(randomBytes(32)) }]);
  readonly #webhooks = new QuickBooksWebhooks([VERIFIER_TOKEN]);
  readonly #instances = new Map<string, Promise<LivingInstance>>();
  #receiver: Receiver | undefined;
  #armed: Strike[] = [];
  #hits: string[] = [];
  readonly #errors = new Set<string>();
  #skewMs: readonly number[] = [0, 0, 0, 0];
  #receivedBy = 0;
  /** The statements and calls of each run of a use case. */
  readonly counted = new Map<string, Counts[]>();

  private constructor(database: TestDatabase, admin: pg.Client, simulators: Simulators, useCases: UseCases) {
    this.#database = database;
    this.#admin = admin;
    this.#simulators = simulators;
    this.quickbooks = new Control(simulators.quickbooks.controlUrl);
    this.stripe = new Control(simulators.stripe.controlUrl);
    this.#useCases = useCases;
    this.#time = new VirtualTime(admin, async (advanceSeconds) => {
      await this.quickbooks.call('POST', '/clock', { advanceSeconds });
      await this.stripe.call('POST', '/clock', { advanceSeconds });
    });
  }

  static async start(useCases: UseCases): Promise<FastSystem> {
    const database = await createTestDatabase();
    const admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
    await admin.query(VIRTUAL_NOW);
    const name = new URL(database.url).pathname.slice(1);
    await admin.query(`alter database "${name}" set search_path = public, pg_catalog`);
    // Here processes die, the database server does not.
    await admin.query(`alter database "${name}" set synchronous_commit = off`);
    const quickbooks = await startQuickBooksSimulator({ clientId: 'app', clientSecret: 'app-secret' });
    const simulators = { quickbooks, stripe: await startStripeSimulator({ accounts: [] }) };
    const system = new FastSystem(database, admin, simulators, useCases);
    system.#receiver = await startReceiver((received) => system.#receive(received));
    const url = `${system.#receiver.url}/qbo`;
    await system.quickbooks.call('POST', '/webhooks', { url, verifierToken: VERIFIER_TOKEN });
    return system;
  }

  get stripeWebhooksUrl(): string {
    return `${this.#receiver?.url}/stripe`;
  }

  async call<N extends CallName>(api: 0 | 1, name: N, input: Calls[N]): Promise<Answer> {
    const handler = this.#useCases.calls[name];
    const run = await this.#run(`api ${api}`, name, ({ context }) => handler(context(`client ${name}`), input));
    if (run.kind !== 'returned') return this.#explain(name, run);
    const { id, failures } = run.value;
    return { kind: 'answered', id, codes: failures.map((failure) => failure.code) };
  }

  async work(worker: 0 | 1, job: Job, scope: string): Promise<void> {
    do await this.#workOnce(worker, job, scope);
    while (job === 'processStripeEvents' && (await this.#isDueAgain(scope)));
  }

  /** The worker comes back for what is left of a run, as after two deaths, when events are taken one at a time. */
  async #isDueAgain(connectionId: string): Promise<boolean> {
    const [row] = await this.sql(
      `select exists (select from webhook_event where company_id = $1 and attempts > 0 and state = 'PROCESSING') as due`,
      [connectionId],
    );
    return row?.due === true;
  }

  async #workOnce(worker: 0 | 1, job: Job, scope: string): Promise<void> {
    const handler = this.#useCases.jobs[job];
    const run = await this.#run(`worker ${worker}`, job, async (instance) => {
      const work = async () => void (await handler(instance.context('system'), scope));
      // Nobody's turn depends on the lock of a bulk, which ends with its session while the work goes on.
      if (job === 'resumeOperations' || job === 'workOffBulkInvoicing') return work();
      const lock = job.includes('Stripe') ? `stripe:${scope}` : `qbo:${scope}`;
      await instance.withSession((session) => withSessionLock(session, lock, work));
    });
    if (run.kind !== 'returned') this.#explain(job, run);
  }

  arm(strikes: readonly Strike[]): void {
    this.#armed = [...strikes];
  }

  takeHits(): string[] {
    return this.#hits.splice(0);
  }

  takeErrors(): string[] {
    const errors = [...this.#errors];
    this.#errors.clear();
    return errors;
  }

  /** Processes go by the database's clock, which they know to within some milliseconds. */
  async skew(milliseconds: readonly number[]): Promise<void> {
    this.#skewMs = milliseconds.map((each) => Math.sign(each) * Math.min(Math.abs(each), KNOWN_WITHIN_MS));
  }

  advance(milliseconds: number): Promise<void> {
    return this.#time.advance(milliseconds);
  }

  settle(milliseconds: number): Promise<void> {
    return this.#time.advance(milliseconds);
  }

  async cutConnections(): Promise<void> {
    await this.#admin.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    );
    await letOthersRun();
  }

  async sql(text: string, parameters: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await this.#admin.query(text, [...parameters])).rows;
  }

  async stop(): Promise<void> {
    for (const instance of this.#instances.values()) await (await instance).instance.stop();
    await this.#receiver?.stop();
    await this.#simulators.quickbooks.stop();
    await this.#simulators.stripe.stop();
    await this.#admin.end();
    await this.#database.drop();
  }

  async #run<T>(process: string, name: string, work: (living: LivingInstance) => Promise<T>): Promise<Run<T>> {
    const living = await this.#living(process);
    return living.instance.run(name, () => work(living));
  }

  /** The instance of that name, or a fresh one in place of a dead one. */
  async #living(process: string): Promise<LivingInstance> {
    const known = await this.#instances.get(process);
    // Somebody else may have replaced it while this one waited.
    const current = this.#instances.get(process);
    if (known && !known.instance.isDead) return known;
    if (current && (await current) !== known) return this.#living(process);
    const started = this.#start(process);
    this.#instances.set(process, started);
    return started;
  }

  async #start(process: string): Promise<LivingInstance> {
    const instance = await Instance.start({
      databaseUrl: this.#database.url,
      strikeAt: (point) => this.#strikeAt(point),
      onCounted: (useCase, counts) => this.#count(useCase, counts),
      sleepVirtually: (milliseconds) => this.#time.advance(milliseconds),
    });
    return new LivingInstance(instance, this.#parts(process, instance));
  }

  #parts(process: string, { orm }: Instance): Omit<InvoicingContext, 'em' | 'actor'> {
    const clock = { now: () => new Date(this.#time.now() + (this.#skewMs[PROCESSES.indexOf(process)] ?? 0)) };
    const defaultApp = { clientId: 'app', clientSecret: 'app-secret' };
    const { baseUrl: apiBaseUrl, tokenUrl, authorizeUrl, revokeUrl } = this.#simulators.quickbooks;
    const endpoints = { apiBaseUrl, tokenUrl, authorizeUrl, revokeUrl };
    const accounting = new QuickBooksGateway({
      store: new PostgresTokenStore(orm, waits),
      traffic: new PostgresTrafficStore(orm, waits),
      secrets: this.#secrets,
      clock,
      endpoints: () => endpoints,
      defaultApp,
      waits,
    });
    // Nobody is woken: a story has its workers look for work.
    const idle = () => undefined;
    const jobs = { wakeWebhookWorker: idle, resumeOperationsIn: idle, wakeBulkInvoicing: idle };
    const shared = { clock, ids: randomIds, waits, secrets: this.#secrets, jobs };
    const billing = new StripeGateway({
      keys: new PostgresKeyStore(orm, this.#secrets, waits),
      clock,
      waits,
      apiBaseUrlOf: () => this.#simulators.stripe.baseUrl,
    });
    return { ...shared, accounting, billing, defaultApp, allowsSimulators: true, allowsStripeSimulator: true };
  }

  #strikeAt(point: Point): Strike | undefined {
    const index = this.#armed.findIndex(
      (each) =>
        each.useCase === point.useCase && each.kind === point.kind && each.n === point.n && each.side === point.side,
    );
    const [strike] = index < 0 ? [] : this.#armed.splice(index, 1);
    if (strike) this.#hits.push(nameOf(strike));
    return strike;
  }

  #count(useCase: string, counts: Counts): void {
    const all = this.counted.get(useCase) ?? [];
    all.push({ ...counts });
    this.counted.set(useCase, all);
  }

  #explain(name: string, run: Exclude<Run<unknown>, { kind: 'returned' }>): Answer {
    if (run.kind === 'threw' && !isCutOff(run.error)) {
      if (process.env.FAULTS_VERBOSE) console.error(name, run.error);
      this.#errors.add(`${name} threw ${String(run.error).split('\n')[0]}`);
    }
    return { kind: 'lost' };
  }

  async #receive(received: WebhookPost): Promise<number | undefined> {
    this.#receivedBy = 1 - this.#receivedBy;
    const process = `api ${this.#receivedBy}`;
    const run = received.path.startsWith('/webhooks/stripe/')
      ? await this.#run(process, 'receiveStripeWebhook', ({ context }) =>
          this.#receiveStripe(context('system'), received),
        )
      : await this.#run(process, 'receiveWebhook', ({ context }) =>
          this.#receiveQuickBooks(context('system'), received),
        );
    if (run.kind === 'died') return undefined;
    return run.kind === 'returned' ? run.value : 500;
  }

  async #receiveQuickBooks(context: InvoicingContext, { body, headers }: WebhookPost): Promise<number> {
    if (this.#webhooks.verify(body, headers['intuit-signature']) !== 'valid') return 401;
    const events = this.#webhooks.parse(body);
    if (!events) return 400;
    await storeWebhookEvents({ ...context, wake: () => undefined }, 'QBO', events);
    return 200;
  }

  async #receiveStripe(context: InvoicingContext, { path, body, headers }: WebhookPost): Promise<number> {
    const found = await findStripeEndpoint(context, path.replace('/webhooks/stripe/', ''));
    if (!found?.endpoint) return 404;
    const { connectionId: companyId, secrets } = found.endpoint;
    const webhooks = new StripeWebhooks({ secrets, companyId, clock: context.clock });
    if (webhooks.verify(body, headers['stripe-signature']) !== 'valid') return 401;
    const events = webhooks.parse(body);
    if (!events) return 400;
    await storeWebhookEvents({ ...context, wake: () => undefined }, 'STRIPE', events);
    return 200;
  }
}

interface Simulators {
  readonly quickbooks: QuickBooksSimulator;
  readonly stripe: StripeSimulator;
}

/** What the driver says when its connection was cut, by itself or as the cause of what the ORM made of it. */
function isCutOff(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isCutOff);
  if (!(error instanceof Error)) return false;
  return CUT_OFF.test(`${error.message} ${(error as NodeJS.ErrnoException).code}`) || isCutOff(error.cause);
}

const CUT_OFF = /Connection (terminated|ended)|terminating connection|not queryable|connection error|ECONNRE|57P01/;

/** The pool takes back the place of a connection that was cut, and of that only. */
function release(session: pg.PoolClient): void {
  try {
    session.release();
  } catch (error) {
    if (!/already been released/.test(String(error))) throw error;
  }
}

const KNOWN_WITHIN_MS = 20;

const PROCESSES = ['api 0', 'api 1', 'worker 0', 'worker 1'];

/** An instance and what its use cases get. */
class LivingInstance {
  readonly instance: Instance;
  readonly #parts: Omit<InvoicingContext, 'em' | 'actor'>;

  constructor(instance: Instance, parts: Omit<InvoicingContext, 'em' | 'actor'>) {
    this.instance = instance;
    this.#parts = parts;
  }

  /** With an entity manager of its own, as each request and job has one. */
  readonly context = (actor: string): InvoicingContext => ({
    ...this.#parts,
    em: this.instance.orm.em.fork(),
    actor: { id: actor, name: actor, kind: ActorKind.SYSTEM, grants: ALL_GRANTS },
  });

  /** A database session apart from the unit of work. */
  async withSession<T>(work: (session: pg.PoolClient) => Promise<T>): Promise<T> {
    const pool: pg.Pool = await this.instance.orm.em.getConnection().getNativeClient();
    const session = await pool.connect();
    try {
      return await work(session);
    } finally {
      release(session);
    }
  }
}
