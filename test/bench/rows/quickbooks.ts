import { setTimeout as delay } from 'node:timers/promises';
import type { Bench } from '../bench.js';
import { figure, percentile, type Row } from '../report.js';
import { invoiceInBulk } from './bulk-invoices.js';
import { type PaidWatch, watchPaid } from './paid-watch.js';
import { type QuickBooksStage, setUpQuickBooks } from './quickbooks-stage.js';

/** Invoices that are asked for at the same time. */
const CONCURRENCY = 4;

/** Each is a customer in QuickBooks, which its first invoice creates. */
const ORGANISATIONS = 10;

/** Between payments, so that Intuit's pace of seven calls a second is not what is measured. */
const PAUSE_MS = 700;

/** Longer than that, and people press reload. */
const SEEN_WITHIN_MS = 1_000;

interface Invoiced {
  readonly id: string;
  readonly qboInvoiceId: string;
}

/** What goes through QuickBooks: invoices one by one and in bulk, then payments, each timed until somebody sees it. */
export async function measureQuickBooks(bench: Bench): Promise<readonly Row[]> {
  const stage = await setUpQuickBooks(bench);
  const orders = await createOrders(stage, bench.scale.invoices);
  const invoiced: Invoiced[] = [];
  const single = await invoicing(stage, orders, async () => {
    invoiced.push(...(await inTurns(orders, (id) => createInvoice(stage, id))));
  });
  const more = await createOrders(stage, bench.scale.invoices);
  const bulk = await invoicing(stage, more, () => invoiceInBulk(stage, more));
  const rows = [
    figure('createQboInvoice, four at a time', 'invoices/s', single.perSecond),
    figure('createQboInvoice, calls of QuickBooks', 'calls/invoice', single.callsEach),
    figure(`createQboInvoices of ${more.length}`, 'invoices/s', bulk.perSecond),
    figure(`createQboInvoices of ${more.length}, calls of QuickBooks`, 'calls/invoice', bulk.callsEach),
  ];
  bench.say(rows.map(({ ours, unit }) => `${ours} ${unit}`).join(', '));
  await stage.settle();
  const watch = await watchPaid(stage);
  const latenciesMs = await payAll(stage, watch, invoiced);
  watch.end();
  await stage.stop();
  const name = 'payment until a subscriber sees the status';
  return [
    ...rows,
    figure(`${name}, p50`, 'ms', percentile(latenciesMs, 0.5)),
    figure(`${name}, p99`, 'ms', percentile(latenciesMs, 0.99), { atMost: SEEN_WITHIN_MS }),
  ];
}

async function invoicing(stage: QuickBooksStage, orders: readonly string[], invoiceAll: () => Promise<void>) {
  const callsBefore = await stage.countCalls();
  const startedAt = performance.now();
  await invoiceAll();
  const seconds = (performance.now() - startedAt) / 1000;
  const calls = (await stage.countCalls()) - callsBefore;
  return { perSecond: orders.length / seconds, callsEach: calls / orders.length };
}

async function createOrders({ graphql, conferenceId }: QuickBooksStage, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let number = 0; number < count; number += 1) {
    const input = {
      conferenceId,
      organizationName: `Organisation ${number % ORGANISATIONS}`,
      contactEmail: 'payables@organisation.example',
      lineItems: [
        { description: 'Conference ticket', quantity: 2, unitPrice: '40.00' },
        { description: 'Workshop', quantity: 1, unitPrice: '15.00' },
        { description: 'Dinner', quantity: 1, unitPrice: '5.00' },
      ],
    };
    const { purchaseOrder } = await graphql.mutate('createPurchaseOrder', input, 'purchaseOrder { id }');
    ids.push(purchaseOrder.id);
  }
  return ids;
}

const TOTAL = '100.00';

async function createInvoice({ graphql }: QuickBooksStage, id: string): Promise<Invoiced> {
  const selection = 'purchaseOrder { qboInvoiceId total { amount } }';
  const { purchaseOrder, userErrors } = await graphql.mutate('createQboInvoice', { purchaseOrderId: id }, selection);
  if (userErrors.length > 0 || purchaseOrder.total.amount !== TOTAL) {
    throw new Error(`${id} was not invoiced: ${JSON.stringify(userErrors)}`);
  }
  return { id, qboInvoiceId: purchaseOrder.qboInvoiceId };
}

async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const queue = items.values();
  const done: R[] = [];
  const worker = async () => {
    for (const item of queue) done.push(await work(item));
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return done;
}

async function payAll(stage: QuickBooksStage, watch: PaidWatch, invoiced: readonly Invoiced[]): Promise<number[]> {
  const latenciesMs: number[] = [];
  for (const { id, qboInvoiceId } of invoiced) {
    const seen = watch.untilPaid(id).then(() => performance.now());
    const paidAt = performance.now();
    await stage.pay(qboInvoiceId, TOTAL);
    latenciesMs.push((await seen) - paidAt);
    await delay(PAUSE_MS);
  }
  return latenciesMs;
}
