import { randomBytes } from 'node:crypto';
import type { MikroORM } from '@mikro-orm/postgresql';
import { createConference } from '../../src/application/conferences/create-conference.js';
import type { InvoicingContext } from '../../src/application/invoicing/invoicing-context.js';
import type { Outcome } from '../../src/application/outcome.js';
import type { AccountingGateway } from '../../src/application/ports/accounting.js';
import type { BillingGateway } from '../../src/application/ports/billing.js';
import type { SecretBox } from '../../src/application/ports/secrets.js';
import { createPurchaseOrder } from '../../src/application/purchase-orders/create-purchase-order.js';
import { configureQboConnection } from '../../src/application/quickbooks/configure-qbo-connection.js';
import { createQboInvoice } from '../../src/application/quickbooks/create-qbo-invoice.js';
import type { Waits } from '../../src/application/waits.js';
import { ALL_GRANTS } from '../../src/domain/access/grants.js';
import { ActorKind } from '../../src/domain/audit/actor.js';
import type { Clock } from '../../src/domain/clock.js';
import { randomIds } from '../../src/domain/ids.js';
import { openOrm } from '../../src/infrastructure/database/orm.js';
import { QuickBooksGateway } from '../../src/infrastructure/quickbooks/gateway.js';
import { PostgresTokenStore } from '../../src/infrastructure/quickbooks/postgres-token-store.js';
import { PostgresTrafficStore } from '../../src/infrastructure/quickbooks/postgres-traffic-store.js';
import { JweSecretBox } from '../../src/infrastructure/secret-box.js';
import { type QuickBooksSimulator, startQuickBooksSimulator } from '../../src/simulators/quickbooks/simulator.js';
import { createTestDatabase } from './database.js';
import type { Data } from './graphql-client.js';
import { LINES } from './purchase-orders.js';
import { SimulatorControl } from './simulator-control.js';
import { testWaits } from './test-waits.js';

/** A clock that a test moves. Nothing waits for it. */
export class TestClock implements Clock {
  #aheadMs = 0;

  now(): Date {
    return new Date(Date.now() + this.#aheadMs);
  }

  advance(milliseconds: number): void {
    this.#aheadMs += milliseconds;
  }
}

/** The use cases on a database and a simulated QuickBooks of their own, without server and background worker. */
export interface Workbench {
  readonly context: InvoicingContext;
  readonly orm: MikroORM;
  readonly clock: TestClock;
  readonly quickbooks: SimulatorControl;
  readonly realmId: string;
  readonly conferenceId: string;
  /** The use cases with some calls to QuickBooks replaced; the rest go to the simulator. */
  with(replaced: Partial<AccountingGateway>): InvoicingContext;
  /** The real adapter with another address for its API. */
  gatewayAt(apiBaseUrl: string): AccountingGateway;
  /** As another process would have it: an entity manager of its own, and by default a clock of its own. */
  process(clock?: Clock): InvoicingContext;
  order(fields?: Record<string, unknown>): Promise<string>;
  invoicedOrder(fields?: Record<string, unknown>): Promise<{ id: string; invoiceId: string; externalId: string }>;
  sql(text: string, params?: unknown[]): Promise<Data[]>;
  /** The SQL statements that `work` sends, `begin` and `commit` included. */
  statementsOf(work: () => Promise<unknown>): Promise<string[]>;
  books(): Promise<Data>;
  /** What a process of the server needs to work on the same database and QuickBooks. */
  readonly environment: Record<string, string>;
  /** Moves our clock and QuickBooks'. */
  later(milliseconds: number): Promise<void>;
  /** From then on nobody listens at the address of QuickBooks. */
  stopQuickBooks(): Promise<void>;
  /** After how many milliseconds the use cases wanted unsettled operations to be looked at, oldest first. */
  readonly resumptions: number[];
  stop(): Promise<void>;
}

export interface WorkbenchOptions {
  /** How long a provider may take to answer. */
  readonly timeoutMs?: number;
  /** Other waits than those of tests. */
  readonly waits?: Partial<Waits>;
  /** For tests with Stripe, see `startStripeWorkbench`: the others need not load its SDK. */
  readonly createBilling?: (parts: BillingParts) => BillingGateway;
}

export interface BillingParts extends Settings {
  readonly orm: MikroORM;
  readonly secrets: SecretBox;
}

export async function startWorkbench({
  timeoutMs = 1000,
  waits = {},
  createBilling = withoutBilling,
}: WorkbenchOptions = {}): Promise<Workbench> {
  const database = await createTestDatabase();
  const statements: string[] = [];
  const logger = (message: string) => void statements.push(message);
  const orm = await openOrm(database.url, { debug: ['query'], colors: false, logger });
  const simulator = await startQuickBooksSimulator(APP);
  const clock = new TestClock();
  const encryptionKey = randomBytes(32);
  const settings = { clock, encryptionKey, waits: { ...testWaits, callTimeoutMs: timeoutMs, ...waits } };
  const { gatewayAt, ...others } = parts(orm, simulator, settings);
  const shared = { ...others, billing: createBilling({ orm, secrets: others.secrets, ...settings }) };
  const resumptions: number[] = [];
  const jobs = {
    wakeWebhookWorker: () => undefined,
    resumeOperationsIn: (delayMs: number) => void resumptions.push(delayMs),
    wakeBulkInvoicing: () => undefined,
  };
  const process = (own: Clock = clock): InvoicingContext => ({ ...shared, jobs, clock: own, em: orm.em.fork() });
  const context = process();
  const quickbooks = new SimulatorControl(simulator);
  const { realmId } = quickbooks;
  const conferenceId = idOf(
    await createConference(context, { name: 'Bench', slug: 'bench', currencyCode: 'USD', timezone: 'UTC' }),
  );
  const { accessToken, refreshToken } = await quickbooks.post('/tokens', { realmId });
  const tokens = { environment: 'SANDBOX', realmId, accessToken, refreshToken };
  idOf(await configureQboConnection(process(), { conferenceId, ...tokens }));
  await quickbooks.delete('/requests');
  let stopping: Promise<void> | undefined;
  const stopQuickBooks = () => {
    stopping ??= simulator.stop();
    return stopping;
  };
  let organizations = 0;
  const order = async (fields: Record<string, unknown> = {}) => {
    organizations += 1;
    const organizationName = `Organisation ${organizations}`;
    const input = { conferenceId, organizationName, contactEmail: 'ap@example.com', lineItems: LINES, ...fields };
    return idOf(await createPurchaseOrder(process(), input));
  };
  const sql = async (text: string, params: unknown[] = []): Promise<Data[]> => orm.em.fork().execute(text, params);
  return {
    context,
    orm,
    clock,
    quickbooks,
    realmId,
    conferenceId,
    gatewayAt,
    with: (replaced) => ({ ...process(), accounting: replacing(shared.accounting, replaced) }),
    process,
    order,
    invoicedOrder: async (fields) => {
      const id = await order(fields);
      idOf(await createQboInvoice(process(), { purchaseOrderId: id }));
      const [invoice] = await sql('select id, external_id from invoice where purchase_order_id = ?', [id]);
      return { id, invoiceId: invoice.id, externalId: invoice.external_id };
    },
    sql,
    resumptions,
    later: async (milliseconds) => {
      clock.advance(milliseconds);
      await quickbooks.post('/clock', { advanceSeconds: Math.ceil(milliseconds / 1000) });
    },
    statementsOf: async (work) => {
      statements.length = 0;
      await work();
      return statements.map((message) => message.replace(BEFORE_STATEMENT, '').replace(/ \[took .*$/, ''));
    },
    environment: {
      DATABASE_URL: database.url,
      ENCRYPTION_KEYS: `k1:${encryptionKey.toString('base64')}`,
      QBO_API_BASE_URL: simulator.baseUrl,
      QBO_TOKEN_URL: simulator.tokenUrl,
      QBO_CLIENT_ID: APP.clientId,
      QBO_CLIENT_SECRET: APP.clientSecret,
    },
    books: () => quickbooks.get(`/books?realmId=${realmId}`),
    stopQuickBooks,
    stop: async () => {
      await shared.accounting.stop();
      await orm.close();
      await stopQuickBooks();
      await database.drop();
    },
  };
}

/** In the log of the ORM. */
const BEFORE_STATEMENT = /^\[query\] (\/\* prepared \*\/\s*)?/;

const APP = { clientId: 'app', clientSecret: 'app-secret' };

interface Settings {
  readonly clock: Clock;
  readonly encryptionKey: Uint8Array;
  readonly waits: Waits;
}

function parts(orm: MikroORM, simulator: QuickBooksSimulator, { clock, encryptionKey, waits }: Settings) {
  const secrets = new JweSecretBox([{ id: 'k1', secret: new Uint8Array(encryptionKey) }]);
  const { baseUrl: apiBaseUrl, tokenUrl, authorizeUrl, revokeUrl } = simulator;
  const store = new PostgresTokenStore(orm, waits);
  const traffic = new PostgresTrafficStore(orm, waits);
  const gatewayAt = (address: string) => {
    const endpoints = () => ({ apiBaseUrl: address, tokenUrl, authorizeUrl, revokeUrl });
    return new QuickBooksGateway({ store, traffic, secrets, clock, endpoints, defaultApp: APP, waits });
  };
  const accounting = gatewayAt(apiBaseUrl);
  const actor = { id: 'test', name: 'test', kind: ActorKind.API_KEY, grants: ALL_GRANTS };
  return {
    ids: randomIds,
    waits,
    actor,
    accounting,
    secrets,
    defaultApp: APP,
    allowsSimulators: true,
    allowsStripeSimulator: true,
    gatewayAt,
  };
}

/** The gateway keeps its state in private fields, so what is not replaced has to be called on itself. */
export function replacing<Gateway extends object>(gateway: Gateway, replaced: Partial<Gateway>): Gateway {
  return new Proxy(gateway, {
    get(target, name) {
      const own = Reflect.get(replaced, name);
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function withoutBilling(): BillingGateway {
  return new Proxy({} as BillingGateway, {
    get: (_target, name) => {
      throw new Error(`${String(name)}: this workbench has no Stripe, see startStripeWorkbench`);
    },
  });
}

export function idOf({ id, failures }: Outcome<{ readonly message: string }>): string {
  if (id === null) throw new Error(failures.map((failure) => failure.message).join(' '));
  return id;
}

/** What a test throws at a place where a process is to die. */
export class ProcessDied extends Error {}

export function die(): never {
  throw new ProcessDied('the process died here');
}
