import { z } from 'zod';
import { type Bench, interleave } from '../bench.js';
import { CONFERENCE_ID, dropDatabase, orderId, seedDatabase } from '../data/seed.js';
import type { ExpectedExchange } from '../load/work-order.js';
import { generateLoad } from '../processes.js';
import { compare, median, type Row } from '../report.js';
import { startOurs } from '../servers.js';
import { dataOf, expectedExchange, graphql } from './exchange.js';
import { ORDER_FIELDS } from './list.js';

const PAGE = 50;

const LIST = `query Page($conferenceId: ID!, $first: Int, $last: Int, $after: String) {
  purchaseOrders(conferenceId: $conferenceId, first: $first, last: $last, after: $after) {
    nodes { ${ORDER_FIELDS} } pageInfo { startCursor }
  }
}`;

const page = z.object({
  purchaseOrders: z.object({
    nodes: z.array(z.object({ id: z.string() })),
    pageInfo: z.object({ startCursor: z.string() }),
  }),
});

/** Whether a list costs the same wherever it is opened and however long it is. */
export async function measureDeepPages(bench: Bench): Promise<readonly Row[]> {
  const { fewOrders, manyOrders } = bench.scale;
  const few = await seedDatabase(bench.serverUrl, 'bench_few', fewOrders);
  bench.say(`making ${manyOrders.toLocaleString('en')} orders`);
  const many = await seedDatabase(bench.serverUrl, 'bench_many', manyOrders);
  const servers = { few: await startOurs('ours-few', few.url), many: await startOurs('ours-many', many.url) };
  const firstOfFew = await ask(servers.few.url, { first: PAGE }, fewOrders);
  const firstOfMany = await ask(servers.many.url, { first: PAGE }, manyOrders);
  const lastOfMany = await ask(
    servers.many.url,
    { after: await cursorBeforeLast(servers.many.url), first: PAGE },
    PAGE,
  );
  const time = (url: string, exchange: ExpectedExchange) => async () => {
    const times = bench.scale.timedRequests;
    return median((await generateLoad({ kind: 'latency', url, times, exchanges: [exchange] })).latenciesMs);
  };
  const latency = await interleave(bench, {
    'first of few': time(servers.few.url, firstOfFew),
    'first of many': time(servers.many.url, firstOfMany),
    'last of many': time(servers.many.url, lastOfMany),
  });
  const memory = { few: await servers.few.memoryMegabytes(), many: await servers.many.memoryMegabytes() };
  for (const server of Object.values(servers)) await server.stop();
  for (const database of [few, many]) await dropDatabase(bench.serverUrl, database);
  const [fewText, manyText] = [fewOrders, manyOrders].map((count) => count.toLocaleString('en'));
  const flat = { peerName: `of ${fewText}`, goal: { atMost: 1.5 } } as const;
  return [
    compare({
      name: `last page of ${manyText} orders, latency`,
      unit: 'ms',
      ours: latency['last of many'],
      peer: latency['first of many'],
      peerName: 'first page',
      goal: { atMost: 1.5 },
    }),
    compare({
      name: `first page of ${manyText} orders, latency`,
      unit: 'ms',
      ours: latency['first of many'],
      peer: latency['first of few'],
      ...flat,
    }),
    compare({
      name: `resident memory after reading pages of ${manyText} orders`,
      unit: 'MB',
      ours: [memory.many],
      peer: [memory.few],
      ...flat,
    }),
  ];
}

interface PageRequest {
  readonly first?: number;
  readonly last?: number;
  readonly after?: string;
}

/** The page whose newest order was created as the `newest`-th. */
async function ask(url: string, request: PageRequest, newest: number): Promise<ExpectedExchange> {
  const exchange = await expectedExchange(url, graphql(LIST, { conferenceId: CONFERENCE_ID, ...request }));
  const ids = dataOf(exchange, page).purchaseOrders.nodes.map(({ id }) => id);
  const expected = Array.from({ length: request.first ?? request.last ?? 0 }, (_, index) => orderId(newest - index));
  if (ids.join() !== expected.join()) throw new Error(`the page begins with ${ids[0]} instead of ${expected[0]}`);
  return exchange;
}

/** A client that jumps to the end learns the cursor in front of the last page. */
async function cursorBeforeLast(url: string): Promise<string> {
  const exchange = await ask(url, { last: PAGE + 1 }, PAGE + 1);
  return dataOf(exchange, page).purchaseOrders.pageInfo.startCursor;
}
