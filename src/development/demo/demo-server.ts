import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { RunningApp } from '../../app.js';

/** As long as a webhook may take from a simulator through the inbox to the purchase order. */
const WEBHOOK_TIMEOUT_MS = 20_000;

const amount = z.object({ amount: z.string() });
const orderSchema = z.object({
  id: z.string(),
  reference: z.string(),
  status: z.string(),
  total: amount,
  totalPaid: amount,
  balanceDue: amount,
  attention: z.array(z.object({ code: z.string() })),
  qboInvoice: z.object({ id: z.string(), docNumber: z.string().nullable(), emailStatus: z.string() }).nullable(),
  stripeInvoice: z
    .object({ id: z.string(), number: z.string().nullable(), emailStatus: z.string(), processing: amount })
    .nullable(),
});
export type Order = z.output<typeof orderSchema>;

const ORDER_FIELDS = `id reference status total { amount } totalPaid { amount } balanceDue { amount } attention { code }
  qboInvoice { id docNumber emailStatus } stripeInvoice { id number emailStatus processing { amount } }`;

/** Something was not as it should be. */
export class DemoError extends Error {}

export function expect(actual: string | undefined, expected: string, what: string): void {
  if (actual !== expected) throw new DemoError(`${what} should be ${expected}, but is ${actual}`);
}

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** The server as its clients see it. */
export class DemoServer {
  readonly #app: Pick<RunningApp, 'url' | 'apiKey'>;

  constructor(app: Pick<RunningApp, 'url' | 'apiKey'>) {
    this.#app = app;
  }

  async createOrder(): Promise<Order> {
    const { conferences } = await this.#graphql(
      '{ conferences { nodes { id } } }',
      {},
      z.object({ conferences: z.object({ nodes: z.array(z.object({ id: z.string() })) }) }),
    );
    return this.mutate('createPurchaseOrder', {
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

  /** The purchase order that the mutation returns; throws when it was refused. */
  async mutate(name: string, input: Record<string, unknown>): Promise<Order> {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const query = `mutation Demo($input: ${type}!) { result: ${name}(input: $input) { purchaseOrder { ${ORDER_FIELDS} } userErrors { code message } } }`;
    const payload = z.object({ purchaseOrder: orderSchema.nullable(), userErrors: z.array(z.unknown()) });
    const { result } = await this.#graphql(query, { input }, z.object({ result: payload }));
    if (result.purchaseOrder && result.userErrors.length === 0) return result.purchaseOrder;
    throw new DemoError(`${name} was refused: ${JSON.stringify(result.userErrors)}`);
  }

  waitForStatus(order: Order, status: string): Promise<Order> {
    return this.waitUntil(order, (seen) => seen.status === status, `become ${status}`);
  }

  /** Nobody tells our server what happened but a webhook. */
  async waitUntil({ id }: Order, isReached: (order: Order) => boolean, what: string): Promise<Order> {
    const deadline = Date.now() + WEBHOOK_TIMEOUT_MS;
    for (;;) {
      const order = await this.#read(id);
      if (isReached(order)) return order;
      if (Date.now() > deadline) throw new DemoError(`the order should ${what}, but is still ${order.status}`);
      await delay(100);
    }
  }

  async #read(id: string): Promise<Order> {
    const query = `query Order($id: ID!) { purchaseOrder(id: $id) { ${ORDER_FIELDS} } }`;
    return (await this.#graphql(query, { id }, z.object({ purchaseOrder: orderSchema }))).purchaseOrder;
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

/** How many calls a simulator received so far. */
export async function countCalls({ controlUrl }: { readonly controlUrl: string }): Promise<number> {
  const response = await fetch(`${controlUrl}/requests`);
  return z.object({ requests: z.array(z.unknown()) }).parse(await response.json()).requests.length;
}
