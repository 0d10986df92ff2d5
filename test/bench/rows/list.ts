import { z } from 'zod';
import { type Bench, interleave } from '../bench.js';
import { CONFERENCE_ID, dropDatabase, seedDatabase } from '../data/seed.js';
import type { ExpectedExchange } from '../load/work-order.js';
import { generateLoad } from '../processes.js';
import { compare, figure, type Row } from '../report.js';
import { startOurs, startPeer } from '../servers.js';
import { assertSame, dataOf, expectedExchange, graphql } from './exchange.js';

type Side = 'ours' | 'postgraphile' | 'plain';

const PAGE = 50;
const CONNECTIONS = 16;

/** An order with everything that a list shows of it, as our clients ask for it. */
export const ORDER_FIELDS = `
    id reference status organizationName contactEmail buyerReference currencyCode dueDate createdAt
    conference { id slug name }
    total { amount } paid: totalPaid { amount } credited: totalCredited { amount } balance: balanceDue { amount }
    lineItems { id description quantity unitPrice { amount } lineTotal { amount } }
    payments(first: 20) { nodes { id amount { amount } method reference paidOn } }`;

const OURS = `query List($conferenceId: ID!) {
  orders: purchaseOrders(conferenceId: $conferenceId, first: ${PAGE}) { nodes { ${ORDER_FIELDS} } }
}`;

const POSTGRAPHILE = `query List($conferenceId: String!) {
  orders: allPurchaseOrders(
    condition: { conferenceId: $conferenceId }, orderBy: [CREATED_AT_DESC, ROW_ID_DESC], first: ${PAGE}
  ) { nodes {
    id: rowId reference status organizationName contactEmail buyerReference currencyCode dueDate createdAt
    conference: conferenceByConferenceId { id: rowId slug name }
    totalMinor paidMinor creditedMinor balanceMinor
    lineItems: lineItemsByPurchaseOrderIdList(orderBy: POSITION_ASC) {
      id: rowId description quantity unitPriceMinor lineTotalMinor
    }
    payments: paymentsByPurchaseOrderId(first: 20, orderBy: [PAID_ON_DESC, ROW_ID_DESC]) {
      nodes { id: rowId amountMinor method reference paidOn }
    }
  } }
}`;

const orders = z.object({ nodes: z.array(z.unknown()).length(PAGE) });

/** Fifty orders with their lines, payments, conference and sums. */
export async function measureList(bench: Bench): Promise<readonly Row[]> {
  const database = await seedDatabase(bench.serverUrl, 'bench_list', bench.scale.fewOrders);
  const servers = {
    ours: await startOurs('ours', database.url),
    postgraphile: await startPeer('postgraphile', database.url),
    plain: await startPeer('plain-express', database.url),
  };
  const urls = { ours: servers.ours.url, postgraphile: servers.postgraphile.url, plain: servers.plain.url };
  const measure = (side: Side) => async (seconds: number) => {
    const exchanges = [(await askEverybody(urls))[side]];
    const load = { kind: 'throughput', url: urls[side], connections: CONNECTIONS, seconds, exchanges } as const;
    return (await generateLoad(load)).requestsPerSecond;
  };
  const memoryAtStart = await servers.ours.memoryMegabytes();
  const { ours, postgraphile, plain } = await interleave(bench, {
    ours: measure('ours'),
    postgraphile: measure('postgraphile'),
    plain: measure('plain'),
  });
  const memoryAfter = await servers.ours.memoryMegabytes();
  for (const server of Object.values(servers)) await server.stop();
  await dropDatabase(bench.serverUrl, database);
  const row = { name: `list of ${PAGE} orders`, unit: 'requests/s', ours };
  return [
    compare({ ...row, peer: postgraphile, peerName: 'PostGraphile', goal: { atLeast: 1.2 } }),
    compare({ ...row, peer: plain, peerName: 'plain Express', goal: { atLeast: 0.6 } }),
    figure('resident memory after start', 'MB', memoryAtStart),
    figure('resident memory after the load of the list', 'MB', memoryAfter),
  ];
}

/** The list as each of the three is asked for it, after making sure that they tell the same. */
async function askEverybody(urls: Readonly<Record<Side, string>>): Promise<Readonly<Record<Side, ExpectedExchange>>> {
  const variables = { conferenceId: CONFERENCE_ID };
  const ours = await expectedExchange(urls.ours, graphql(OURS, variables));
  const postgraphile = await expectedExchange(urls.postgraphile, graphql(POSTGRAPHILE, variables));
  const plain = await expectedExchange(urls.plain, { ...graphql('', variables), path: '/list' });
  const told = dataOf(ours, z.object({ orders })).orders.nodes;
  assertSame(told, dataOf(postgraphile, z.object({ orders })).orders.nodes, 'PostGraphile');
  assertSame(told, JSON.parse(plain.answer), 'plain Express');
  return { ours, postgraphile, plain };
}
