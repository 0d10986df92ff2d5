import { randomBytes } from 'node:crypto';
import type { MikroORM } from '@mikro-orm/postgresql';
import { createConference } from '../../src/application/conferences/create-conference.js';
import { createPurchaseOrder } from '../../src/application/purchase-orders/create-purchase-order.js';
import { configureQboConnection } from '../../src/application/quickbooks/configure-qbo-connection.js';
import type { QboContext } from '../../src/application/quickbooks/qbo-context.js';
import { systemClock } from '../../src/domain/clock.js';
import { randomIds } from '../../src/domain/ids.js';
import { openOrm } from '../../src/infrastructure/database/orm.js';
import { QuickBooksGateway } from '../../src/infrastructure/quickbooks/gateway.js';
import { PostgresTokenStore } from '../../src/infrastructure/quickbooks/postgres-token-store.js';
import { JweSecretBox } from '../../src/infrastructure/secret-box.js';
import { startQuickBooksSimulator } from '../../src/simulators/quickbooks/simulator.js';
import { createTestDatabase } from './database.js';
import { LINES } from './purchase-orders.js';
import { SimulatorControl } from './simulator-control.js';

const APP = { clientId: 'simulator-client-id', clientSecret: 'simulator-client-secret' };

/** The use cases without a server around them, on a database and a simulator of their own; SQL statements are counted. */
export class UseCaseBench {
  readonly orm: MikroORM;
  readonly quickbooks: SimulatorControl;
  readonly #statements: string[];
  readonly #secrets = new JweSecretBox([{ id: 'test', secret: new Uint8Array(randomBytes(32)) }]);
  readonly #stops: (() => Promise<void>)[];
  conferenceId = '';

  private constructor(
    orm: MikroORM,
    quickbooks: SimulatorControl,
    statements: string[],
    stops: (() => Promise<void>)[],
  ) {
    this.orm = orm;
    this.quickbooks = quickbooks;
    this.#statements = statements;
    this.#stops = stops;
  }

  /** With a conference that is connected to the simulator's first company. */
  static async start(): Promise<UseCaseBench> {
    const database = await createTestDatabase();
    const simulator = await startQuickBooksSimulator(APP);
    const statements: string[] = [];
    const orm = await openOrm(database.url, {
      debug: ['query'],
      colors: false,
      logger: (message) => statements.push(message),
    });
    const stops = [() => orm.close(), () => simulator.stop(), () => database.drop()];
    const bench = new UseCaseBench(orm, new SimulatorControl(simulator), statements, stops);
    await bench.#connect();
    return bench;
  }

  context(): QboContext {
    const { baseUrl, tokenUrl, authorizeUrl, revokeUrl } = this.quickbooks.simulator;
    const accounting = new QuickBooksGateway({
      store: new PostgresTokenStore(this.orm),
      secrets: this.#secrets,
      clock: systemClock,
      endpoints: () => ({ apiBaseUrl: baseUrl, tokenUrl, authorizeUrl, revokeUrl }),
      defaultApp: APP,
    });
    return {
      em: this.orm.em.fork(),
      clock: systemClock,
      ids: randomIds,
      actor: { id: 'test', name: 'test' },
      accounting,
      secrets: this.#secrets,
      defaultApp: APP,
      allowsSimulators: true,
    };
  }

  async createOrder(organizationName: string): Promise<string> {
    const { id } = await createPurchaseOrder(this.context(), {
      conferenceId: this.conferenceId,
      organizationName,
      contactEmail: 'accounts@example.com',
      lineItems: LINES,
    });
    return String(id);
  }

  /** The SQL statements that `work` sends, `begin` and `commit` included, each without its duration. */
  async statementsOf(work: () => Promise<unknown>): Promise<string[]> {
    this.#statements.length = 0;
    await work();
    return this.#statements.map((message) => message.replace(/^\[query\] /, '').replace(/ \[took .*$/, ''));
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) await stop();
  }

  async #connect(): Promise<void> {
    const conference = { name: 'Bench', slug: 'bench', currencyCode: 'USD', timezone: 'UTC' };
    this.conferenceId = String((await createConference(this.context(), conference)).id);
    const { realmId } = this.quickbooks;
    const { accessToken, refreshToken } = await this.quickbooks.post('/tokens', { realmId });
    const credentials = { environment: 'SANDBOX', realmId, accessToken, refreshToken };
    await configureQboConnection(this.context(), { conferenceId: this.conferenceId, ...credentials });
  }
}
