import { z } from 'zod';
import { type Bench, interleave } from '../bench.js';
import { dropDatabase, orderId, seedDatabase } from '../data/seed.js';
import { generateLoad } from '../processes.js';
import { compare, type Row } from '../report.js';
import { startOurs, startPeer } from '../servers.js';
import { assertSame, dataOf, expectedExchange, graphql } from './exchange.js';

const CONNECTIONS = 16;

/** Among them are reversed payments and credit notes. */
const ORDERS = 30;

// `attention` is left out: it is derived from rows, and PostGraphile would have to be taught its rules.
const OURS = `query Order($id: ID!) {
  order: purchaseOrder(id: $id) {
    id reference status organizationName contactEmail contactName billingAddress notes buyerReference currencyCode dueDate
    createdAt updatedAt
    conference { id slug name timezone startDate endDate currencyCode }
    total { amount } paid: totalPaid { amount } credited: totalCredited { amount } balance: balanceDue { amount }
    lineItems { id description quantity unitPrice { amount } lineTotal { amount } }
    payments(first: 20) { nodes {
      id amount { amount } method reference paidOn note source createdAt reversedBy { id reason createdAt }
    } }
    creditNotes(first: 20) { nodes { id amount { amount } reason source createdAt reversedBy { id reason createdAt } } }
    invoices(first: 20) { nodes {
      id provider status externalId number url payUrl total { amount } balance { amount } emailStatus lastSyncedAt
    } }
  }
}`;

const POSTGRAPHILE = `query Order($id: String!) {
  order: purchaseOrderByRowId(rowId: $id) {
    id: rowId reference status organizationName contactEmail contactName billingAddress notes buyerReference currencyCode
    dueDate createdAt updatedAt
    conference: conferenceByConferenceId { id: rowId slug name timezone startDate endDate currencyCode }
    totalMinor paidMinor creditedMinor balanceMinor
    lineItems: lineItemsByPurchaseOrderIdList(orderBy: POSITION_ASC) {
      id: rowId description quantity unitPriceMinor lineTotalMinor
    }
    payments: paymentsByPurchaseOrderId(first: 20, orderBy: [PAID_ON_DESC, ROW_ID_DESC]) { nodes {
      id: rowId amountMinor method reference paidOn note source createdAt
      reversedBy: paymentReversalByPaymentId { id: rowId reason createdAt }
    } }
    creditNotes: creditNotesByPurchaseOrderId(first: 20, orderBy: ROW_ID_DESC) { nodes {
      id: rowId amountMinor reason source createdAt
      reversedBy: creditNoteReversalByCreditNoteId { id: rowId reason createdAt }
    } }
    invoices: invoicesByPurchaseOrderId(first: 20, orderBy: ROW_ID_DESC) { nodes {
      id: rowId provider status externalId number url payUrl totalMinor balanceMinor emailStatus lastSyncedAt
    } }
  }
}`;

const answer = z.object({ order: z.looseObject({ id: z.string() }) });

/** One order with all that is stored about it. */
export async function measureOrder(bench: Bench): Promise<readonly Row[]> {
  const database = await seedDatabase(bench.serverUrl, 'bench_order', bench.scale.fewOrders);
  const ours = await startOurs('ours-order', database.url);
  const postgraphile = await startPeer('postgraphile', database.url);
  const measure = (query: string, url: string) => async (seconds: number) => {
    await assertSameOrders(ours.url, postgraphile.url);
    const exchanges = await askFor(query, url);
    const load = { kind: 'throughput', url, connections: CONNECTIONS, seconds, exchanges } as const;
    return (await generateLoad(load)).requestsPerSecond;
  };
  const sides = await interleave(bench, {
    ours: measure(OURS, ours.url),
    postgraphile: measure(POSTGRAPHILE, postgraphile.url),
  });
  await ours.stop();
  await postgraphile.stop();
  await dropDatabase(bench.serverUrl, database);
  const row = { name: 'one order with everything about it', unit: 'requests/s' };
  return [compare({ ...row, ours: sides.ours, peer: sides.postgraphile, peerName: 'PostGraphile' })];
}

async function askFor(query: string, url: string) {
  const ids = Array.from({ length: ORDERS }, (_, index) => orderId(index + 1));
  return Promise.all(ids.map((id) => expectedExchange(url, graphql(query, { id }))));
}

async function assertSameOrders(ours: string, postgraphile: string): Promise<void> {
  const [told, toldByPeer] = await Promise.all([askFor(OURS, ours), askFor(POSTGRAPHILE, postgraphile)]);
  const ordersOf = (exchanges: typeof told) => exchanges.map((exchange) => dataOf(exchange, answer));
  assertSame(ordersOf(told), ordersOf(toldByPeer), 'PostGraphile');
}
