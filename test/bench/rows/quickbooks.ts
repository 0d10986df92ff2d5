import { setTimeout as delay } from 'node:timers/promises';
import type { Bench } from '../bench.js';
import { query } from '../data/seed.js';
import { figure, percentile, type Row } from '../report.js';
import { type QuickBooksStage, setUpQuickBooks } from './quickbooks-stage.js';

/** Invoices that are asked for at the same time. */
const CONCURRENCY = 4;

/** Each is a customer in QuickBooks, which its first invoice creates. */
const ORGANISATIONS = 10;

/** Between payments, so that Intuit's pace of seven calls a second is not what is measured. */
const PAUSE_MS = 700;

interface Invoiced {
  readonly id: string;
  readonly qboInvoiceId: string;
}

/** What goes through QuickBooks: invoices made one by one, then paid, each webhook timed until everybody can see it. */
export async function measureQuickBooks(bench: Bench): Promise<readonly Row[]> {
  const stage = await setUpQuickBooks(bench);
  const orders = await createOrders(stage, bench.scale.invoices);
  const callsBefore = await stage.countCalls();
  const startedAt = performance.now();
  const invoiced = await inTurns(orders, (id) => createInvoice(stage, id));
  const seconds = (performance.now() - startedAt) / 1000;
  const calls = (await stage.countCalls()) - callsBefore;
  bench.say(`${invoiced.length} invoices in ${seconds.toFixed(1)} s`);
  await stage.settle();
  const latenciesMs = await payAll(stage, invoiced);
  await stage.stop();
  return [
    figure('createQboInvoice, four at a time', 'invoices/s', invoiced.length / seconds),
    figure('createQboInvoice, calls of QuickBooks', 'calls/invoice', calls / invoiced.length),
    figure('payment webhook until the status is stored, p50', 'ms', percentile(latenciesMs, 0.5)),
    figure('payment webhook until the status is stored, p99', 'ms', percentile(latenciesMs, 0.99)),
  ];
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

async function payAll(stage: QuickBooksStage, invoiced: readonly Invoiced[]): Promise<number[]> {
  const latenciesMs: number[] = [];
  for (const { id, qboInvoiceId } of invoiced) {
    const receivedAt = await stage.pay(qboInvoiceId, TOTAL);
    await untilPaid(stage, id);
    latenciesMs.push(performance.now() - receivedAt);
    await delay(PAUSE_MS);
  }
  return latenciesMs;
}

const POLLED_EVERY_MS = 5;
const PAID_TIMEOUT_MS = 30_000;

async function untilPaid({ databaseUrl }: QuickBooksStage, id: string): Promise<void> {
  const deadline = Date.now() + PAID_TIMEOUT_MS;
  while (Date.now() < deadline) {
    const [row] = await query<{ status: string }>(databaseUrl, 'select status from purchase_order where id = $1', [id]);
    if (row?.status === 'PAID') return;
    await delay(POLLED_EVERY_MS);
  }
  throw new Error(`${id} is not paid`);
}
