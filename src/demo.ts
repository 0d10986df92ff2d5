import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { type RunningApp, startApp } from './app.js';
import { loadConfig } from './config.js';
import { postControl } from './development/local-simulators.js';
import { type StopSignal, stopSignal } from './infrastructure/stop-signal.js';

/**
 * `npm run demo`: the main job from beginning to end, over HTTP, against a throw-away database and a simulated
 * QuickBooks. Prints each step for a person and one JSON line for programs; exits 0 only if every step was as expected.
 */

/** As long as a webhook may take from the simulator through the inbox to the purchase order. */
const WEBHOOK_TIMEOUT_MS = 20_000;

const orderSchema = z.object({
  id: z.string(),
  reference: z.string(),
  status: z.string(),
  total: z.object({ amount: z.string() }),
  totalPaid: z.object({ amount: z.string() }),
  balanceDue: z.object({ amount: z.string() }),
  qboInvoice: z.object({ id: z.string(), docNumber: z.string().nullable(), emailStatus: z.string() }).nullable(),
});
type Order = z.output<typeof orderSchema>;

const ORDER_FIELDS =
  'id reference status total { amount } totalPaid { amount } balanceDue { amount } qboInvoice { id docNumber emailStatus }';

class DemoError extends Error {}

function expect(actual: string | undefined, expected: string, what: string): void {
  if (actual !== expected) throw new DemoError(`${what} should be ${expected}, but is ${actual}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Plays the buyer, the organiser and the bookkeeper against one running server. */
class Demo {
  readonly #app: RunningApp;

  constructor(app: RunningApp) {
    this.#app = app;
  }

  async createOrder(): Promise<Order> {
    const { conferences } = await this.#graphql(
      '{ conferences { nodes { id } } }',
      {},
      z.object({ conferences: z.object({ nodes: z.array(z.object({ id: z.string() })) }) }),
    );
    return this.#mutate('createPurchaseOrder', {
      conferenceId: conferences.nodes[0]?.id,
      organizationName: 'Umbrella Conferences GmbH',
      contactEmail: 'payables@umbrella.example',
      billingAddress: 'Hauptstraße 1\n10115 Berlin',
      buyerReference: '4500098765',
      lineItems: [
        { description: 'Conference ticket', quantity: 2, unitPrice: '499.00' },
        { description: 'Silver sponsorship', quantity: 1, unitPrice: '477.00' },
      ],
    });
  }

  invoice({ id }: Order): Promise<Order> {
    return this.#mutate('createQboInvoice', { purchaseOrderId: id });
  }

  send({ id }: Order): Promise<Order> {
    return this.#mutate('sendQboInvoice', { purchaseOrderId: id });
  }

  /** The bookkeeper receives money in QuickBooks; nobody tells our server but the webhook. */
  async receive(order: Order, amount: string): Promise<void> {
    await postControl(this.#simulator, '/pay', {
      realmId: this.#simulator.realmIds[0],
      invoiceId: order.qboInvoice?.id,
      amount,
    });
  }

  async waitForStatus({ id }: Order, status: string): Promise<Order> {
    const deadline = Date.now() + WEBHOOK_TIMEOUT_MS;
    for (;;) {
      const order = await this.#read(id);
      if (order.status === status) return order;
      if (Date.now() > deadline) throw new DemoError(`the order should become ${status}, but is still ${order.status}`);
      await delay(100);
    }
  }

  /** How many calls the simulated QuickBooks received so far. */
  async countCalls(): Promise<number> {
    const response = await fetch(`${this.#simulator.controlUrl}/requests`);
    return z.object({ requests: z.array(z.unknown()) }).parse(await response.json()).requests.length;
  }

  get #simulator() {
    const { quickbooks } = this.#app.simulators;
    if (!quickbooks) throw new DemoError('the QuickBooks simulator did not start');
    return quickbooks;
  }

  async #read(id: string): Promise<Order> {
    const query = `query Order($id: ID!) { purchaseOrder(id: $id) { ${ORDER_FIELDS} } }`;
    return (await this.#graphql(query, { id }, z.object({ purchaseOrder: orderSchema }))).purchaseOrder;
  }

  async #mutate(name: string, input: Record<string, unknown>): Promise<Order> {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const query = `mutation Demo($input: ${type}!) { result: ${name}(input: $input) { purchaseOrder { ${ORDER_FIELDS} } userErrors { code message } } }`;
    const payload = z.object({ purchaseOrder: orderSchema.nullable(), userErrors: z.array(z.unknown()) });
    const { result } = await this.#graphql(query, { input }, z.object({ result: payload }));
    if (result.purchaseOrder && result.userErrors.length === 0) return result.purchaseOrder;
    throw new DemoError(`${name} was refused: ${JSON.stringify(result.userErrors)}`);
  }

  async #graphql<T>(query: string, variables: Record<string, unknown>, data: z.ZodType<T>): Promise<T> {
    const response = await fetch(`${this.#app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.#app.apiKey}` },
      body: JSON.stringify({ query, variables }),
    });
    const body = z.object({ data: z.unknown(), errors: z.unknown().optional() }).parse(await response.json());
    if (body.errors !== undefined) throw new DemoError(`GraphQL failed: ${JSON.stringify(body.errors)}`);
    return data.parse(body.data);
  }
}

async function play(demo: Demo): Promise<Record<string, unknown>> {
  const created = await demo.createOrder();
  say(`1. Purchase order ${created.reference} over ${created.total.amount} USD: ${created.status}`);
  expect(created.status, 'DRAFT', 'the new order');
  const callsBefore = await demo.countCalls();

  const invoiced = await demo.invoice(created);
  say(`2. QuickBooks invoice ${invoiced.qboInvoice?.docNumber} (id ${invoiced.qboInvoice?.id}): ${invoiced.status}`);
  expect(invoiced.status, 'SENT', 'the invoiced order');

  const sent = await demo.send(invoiced);
  say(`3. QuickBooks e-mailed it: ${sent.qboInvoice?.emailStatus}`);
  expect(sent.qboInvoice?.emailStatus, 'SENT', 'the e-mail');

  await demo.receive(sent, '500.00');
  const partly = await demo.waitForStatus(sent, 'PARTIALLY_PAID');
  say(`4. The buyer pays 500.00; a signed webhook arrives: ${partly.status}, ${partly.balanceDue.amount} due`);
  expect(partly.totalPaid.amount, '500.00', 'the paid amount');

  await demo.receive(sent, '975.00');
  const paid = await demo.waitForStatus(sent, 'PAID');
  say(`5. The buyer pays the rest; another webhook: ${paid.status}, ${paid.totalPaid.amount} paid`);
  expect(paid.totalPaid.amount, created.total.amount, 'the paid amount');
  expect(paid.balanceDue.amount, '0.00', 'the balance');

  return {
    reference: paid.reference,
    qboInvoiceId: paid.qboInvoice?.id,
    status: paid.status,
    totalPaid: paid.totalPaid.amount,
    qboCalls: (await demo.countCalls()) - callsBefore,
  };
}

/** Starts everything in a place of its own, plays, and leaves nothing behind, whatever happens in between. */
async function run(): Promise<Record<string, unknown>> {
  const stop = stopSignal();
  const dataDirectory = await mkdtemp(join(tmpdir(), 'conference-invoicing-demo-'));
  try {
    // mkdtemp makes it private, which keeps PostgreSQL out when it has to run under another account than root.
    await chmod(dataDirectory, 0o755);
    const config = loadConfig({ PORT: '0', DATA_DIR: dataDirectory, LOG_LEVEL: 'error' });
    const app = await startApp(config, (step) => say(`… ${step}`));
    try {
      return await Promise.race([play(new Demo(app)), interruption(stop)]);
    } finally {
      await app.stop();
    }
  } finally {
    await rm(dataDirectory, { recursive: true, force: true });
  }
}

async function interruption({ promise }: StopSignal): Promise<never> {
  await promise;
  throw new DemoError('the demo was interrupted');
}

const startedAt = performance.now();
try {
  const result = await run();
  const seconds = Math.round(performance.now() - startedAt) / 1000;
  say(JSON.stringify({ ok: true, ...result, seconds }));
} catch (error) {
  say(JSON.stringify({ ok: false, error: error instanceof Error ? error.message : String(error) }));
  process.exitCode = 1;
}
