import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { type Data, GraphQLClient } from '../../support/graphql-client.js';
import { readOrder } from '../../support/purchase-orders.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { createInvoicedOrder, holdWebhooks } from '../quickbooks/steps.js';
import { cloudEvent, deliver, eventsOf, workedOff } from './deliveries.js';

let app: TestApp;
let realmId: string;

beforeAll(async () => {
  app = await startTestApp();
  await holdWebhooks(app);
  ({ realmId } = app.quickbooks);
});

beforeEach(async () => {
  await app.sql('delete from webhook_event');
  await app.quickbooks.delete('/requests');
});

afterAll(() => app.stop());

let events = 0;

/** A row as the worker leaves it behind; `second` orders the rows by the time they came. */
async function insertEvent(
  state: string,
  { id = '', second = 0, realm = '1', provider = 'QBO', entity = 'payment' } = {},
) {
  events += 1;
  const eventId = id === '' ? `evt_${String(events).padStart(4, '0')}` : id;
  const isFinished = ['DONE', 'IGNORED'].includes(state);
  await app.sql(
    `insert into webhook_event (id, provider, event_id, company_id, entity, entity_id, operation, payload, state, attempts,
                                last_error, next_attempt_at, received_at, processed_at)
     values ($1, $2, $1, $3, $4, '7', 'updated', '{}', $5, $6, $7, '2026-11-02T11:00:00Z',
             '2026-11-02T10:00:00Z'::timestamptz + make_interval(secs => $8), $9)`,
    [
      eventId,
      provider,
      realm,
      entity,
      state,
      state === 'DEAD' ? 20 : 0,
      state === 'DEAD' ? 'No answer.' : null,
      second,
      isFinished ? '2026-11-02T10:30:00Z' : null,
    ],
  );
  return eventId;
}

const EVENT =
  'id provider realmId entity entityId operation state attempts lastError occurredAt receivedAt nextAttemptAt processedAt';

async function list(variables: Record<string, unknown> = {}): Promise<Data> {
  const document = `query ($filter: WebhookEventFilter, $first: Int, $after: String, $last: Int, $before: String) {
    webhookEvents(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
      totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;
  return (await app.graphql.query(document, variables)).webhookEvents;
}

const idsOf = ({ nodes }: Data): string[] => nodes.map(({ id }: Data) => id);

async function replay(input: Record<string, unknown>): Promise<Data> {
  return app.graphql.mutate('replayWebhookEvents', input, 'hasMore events { id state attempts lastError processedAt }');
}

async function rows(): Promise<Data[]> {
  return app.sql('select * from webhook_event order by id');
}

describe('the list of events', () => {
  test('shows everything about an event but what the provider sent, also as a node', async () => {
    const id = await insertEvent('DEAD');
    const shown = {
      id,
      provider: 'QBO',
      realmId: '1',
      entity: 'payment',
      entityId: '7',
      operation: 'updated',
      state: 'DEAD',
      attempts: 20,
      lastError: 'No answer.',
      occurredAt: null,
      receivedAt: '2026-11-02T10:00:00.000Z',
      nextAttemptAt: null,
      processedAt: null,
    };
    const document = `query ($id: ID!) { webhookEvents { nodes { ${EVENT} } }
      node(id: $id) { __typename ... on WebhookEvent { ${EVENT} } } }`;
    const data = await app.graphql.query(document, { id });
    expect(data.webhookEvents.nodes).toEqual([shown]);
    expect(data.node).toEqual({ __typename: 'WebhookEvent', ...shown });
    expect((await app.graphql.query(document, { id: 'evt_unknown' })).node).toBeNull();
  });

  test('says when a waiting event is tried next, and when a finished one was finished', async () => {
    await insertEvent('RECEIVED', { second: 2 });
    await insertEvent('DONE', { second: 1 });
    const { webhookEvents } = await app.graphql.query(
      '{ webhookEvents { nodes { state nextAttemptAt processedAt } } }',
    );
    expect(webhookEvents.nodes).toEqual([
      { state: 'RECEIVED', nextAttemptAt: '2026-11-02T11:00:00.000Z', processedAt: null },
      { state: 'DONE', nextAttemptAt: null, processedAt: '2026-11-02T10:30:00.000Z' },
    ]);
  });

  test('is newest first, 20 at a time unless told otherwise, and can be paged in both directions', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 25; index++) ids.push(await insertEvent('DONE', { second: Math.floor(index / 2) }));
    const newestFirst = ids.toReversed();
    const page = await list();
    expect(idsOf(page)).toEqual(newestFirst.slice(0, 20));
    expect(page).toMatchObject({ totalCount: 25, pageInfo: { hasNextPage: true, hasPreviousPage: false } });
    const rest = await list({ first: 20, after: page.pageInfo.endCursor });
    expect(idsOf(rest)).toEqual(newestFirst.slice(20));
    expect(rest.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    expect(idsOf(await list({ last: 7 }))).toEqual(newestFirst.slice(-7));
    expect(idsOf(await list({ last: 3, before: rest.pageInfo.startCursor }))).toEqual(newestFirst.slice(17, 20));
  });

  test('can be narrowed by state, provider, company and time, and by all of them at once', async () => {
    const dead = await insertEvent('DEAD', { second: 1 });
    const waiting = await insertEvent('RECEIVED', { second: 2 });
    const busy = await insertEvent('PROCESSING', { second: 3, realm: '2' });
    const done = await insertEvent('DONE', { second: 4, realm: '2' });
    const ignored = await insertEvent('IGNORED', { second: 5, realm: '' });
    const found = async (filter: Record<string, unknown>) => {
      const page = await list({ filter });
      expect(page.totalCount).toBe(page.nodes.length);
      return idsOf(page);
    };
    expect(await found({ stateIn: ['DEAD'] })).toEqual([dead]);
    expect(await found({ stateIn: ['RECEIVED', 'PROCESSING'] })).toEqual([busy, waiting]);
    expect(await found({ stateIn: [] })).toEqual([]);
    expect(await found({ provider: 'QBO' })).toEqual([ignored, done, busy, waiting, dead]);
    expect(await found({ realmId: '2' })).toEqual([done, busy]);
    expect(await found({ realmId: '' })).toEqual([ignored]);
    expect(await found({ realmId: "1' or '1'='1" })).toEqual([]);
    expect(await found({ receivedAfter: '2026-11-02T10:00:04Z' })).toEqual([ignored, done]);
    expect(await found({ receivedBefore: '2026-11-02T10:00:02Z' })).toEqual([dead]);
    expect(await found({ stateIn: ['DONE', 'DEAD'], realmId: '2', receivedAfter: '2026-11-02T10:00:00Z' })).toEqual([
      done,
    ]);
    expect(await found({ stateIn: null, provider: null, realmId: null, receivedAfter: null })).toHaveLength(5);
  });

  test.each([
    ['first: 0', { first: 0 }],
    ['first: 101', { first: 101 }],
    ['both ends', { first: 1, last: 1 }],
    ['a cursor that is none', { first: 1, after: 'nonsense' }],
    ['an unknown state', { filter: { stateIn: ['LOST'] } }],
    ['no time', { filter: { receivedAfter: 'yesterday' } }],
  ])('refuses %s', async (_what, variables) => {
    const document = `query ($filter: WebhookEventFilter, $first: Int, $last: Int, $after: String) {
      webhookEvents(filter: $filter, first: $first, last: $last, after: $after) { nodes { id } } }`;
    const { errors } = await app.graphql.send(document, variables);
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
  });

  test('and replaying need a key', async () => {
    const id = await insertEvent('DEAD');
    const stranger = new GraphQLClient(app.app.url, undefined);
    for (const document of [
      '{ webhookEvents { nodes { id } } }',
      `{ node(id: "${id}") { id } }`,
      `mutation { replayWebhookEvents(input: { ids: ["${id}"] }) { events { id } } }`,
    ]) {
      const { data, errors } = await stranger.send(document);
      expect(data).toBeUndefined();
      expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHENTICATED']);
    }
    expect(await rows()).toMatchObject([{ id, state: 'DEAD' }]);
  });
});

describe('replaying', () => {
  test('W-Q7: a dead event is tried again at once, and its payment is booked', async () => {
    const order = await createInvoicedOrder(app);
    const { Payment } = await app.quickbooks.pay(order.qboInvoiceId, '1475.00');
    const event = cloudEvent('payment', 'created', Payment.Id, realmId);
    await app.sql(
      `insert into webhook_event (id, provider, event_id, company_id, entity, entity_id, operation, payload, state, attempts,
                                  last_error, next_attempt_at, received_at)
       values ('evt_dead', 'QBO', $1, $2, 'payment', $3, 'created', '{}', 'DEAD', 20, 'No answer.', now(), now())`,
      [event.id, realmId, Payment.Id],
    );
    // Delivered again by QuickBooks it stays dead: it is known.
    await deliver(app, [event]);
    expect(await eventsOf(app, [event.id])).toMatchObject([{ state: 'DEAD' }]);
    expect(await readOrder(app, order.id)).toMatchObject({ status: 'SENT' });

    expect(await replay({ ids: ['evt_dead'] })).toMatchObject({
      events: [{ id: 'evt_dead', attempts: 0, lastError: null, processedAt: null }],
      hasMore: false,
      userErrors: [],
    });

    expect(await workedOff(app, [event])).toMatchObject([{ state: 'DONE', attempts: 0, last_error: null }]);
    expect(await readOrder(app, order.id)).toMatchObject({ status: 'PAID', totalPaid: { amount: '1475.00' } });
    const trail = await app.sql('select actor, action, before, after from audit_event where subject = $1', [
      'evt_dead',
    ]);
    expect(trail).toEqual([
      {
        actor: 'bootstrap',
        action: 'webhook_event.replayed',
        before: { state: 'DEAD', attempts: 20, lastError: 'No answer.' },
        after: { state: 'RECEIVED' },
      },
    ]);

    // What is done can be tried again, too: nothing is booked twice.
    expect((await replay({ ids: ['evt_dead'] })).userErrors).toEqual([]);
    expect(await workedOff(app, [event])).toMatchObject([{ state: 'DONE' }]);
    const paid = await readOrder(app, order.id);
    expect(paid).toMatchObject({ status: 'PAID', totalPaid: { amount: '1475.00' } });
    expect(paid.payments.nodes).toHaveLength(1);
  });

  test('several does what can be done, and says of each of the others why not', async () => {
    const dead = await insertEvent('DEAD', { second: 2 });
    const waiting = await insertEvent('RECEIVED', { second: 1 });
    const busy = await insertEvent('PROCESSING', { realm: '2' });
    const unreadable = await insertEvent('IGNORED', { realm: '' });
    const before = await rows();
    const { events: replayed, userErrors } = await replay({
      ids: ['evt_unknown', dead, busy, unreadable, waiting, dead],
    });
    expect(replayed.map(({ id }: Data) => id)).toEqual([waiting, dead]);
    expect(userErrors).toEqual([
      {
        code: 'NOT_FOUND',
        message: 'There is no event with this id; finished ones are kept 90 days.',
        path: ['ids', '0'],
      },
      {
        code: 'IN_PROGRESS',
        message: 'A worker is at work on this event right now: see what becomes of it.',
        path: ['ids', '2'],
      },
      {
        code: 'UNREADABLE',
        message:
          'This notification could not be read, so it names nothing to look at. Use syncQboInvoiceStatus or syncStripeInvoiceStatus instead.',
        path: ['ids', '3'],
      },
    ]);
    const untouched = (all: Data[]) => all.filter(({ id }) => id === busy || id === unreadable);
    expect(untouched(await rows())).toEqual(untouched(before));
    const trail = await app.sql('select 1 from audit_event where subject in ($1, $2)', [busy, unreadable]);
    expect(trail).toEqual([]);
  });

  test('all dead ones of a company takes the oldest hundred and says that there are more', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 101; index++) ids.push(await insertEvent('DEAD', { second: index, realm: '3' }));
    const other = await insertEvent('DEAD', { realm: '4' });
    const done = await insertEvent('DONE', { realm: '3' });
    const first = await replay({ deadOfRealmId: '3' });
    expect(first).toMatchObject({ hasMore: true, userErrors: [] });
    expect(idsOf({ nodes: first.events })).toEqual(ids.slice(0, 100));
    const second = await replay({ deadOfRealmId: '3' });
    expect(second).toMatchObject({ hasMore: false, userErrors: [] });
    expect(idsOf({ nodes: second.events })).toEqual(ids.slice(100));
    expect(await replay({ deadOfRealmId: '3' })).toEqual({ events: [], hasMore: false, userErrors: [] });
    // Nobody is connected to that company, which the worker finds out at once.
    await eventually(
      () =>
        app.sql<Data>("select distinct state, last_error from webhook_event where company_id = '3' and id <> $1", [
          done,
        ]),
      (found) => found.length === 1 && found[0]?.state === 'IGNORED',
    );
    expect((await rows()).find(({ id }) => id === other)).toMatchObject({ state: 'DEAD', attempts: 20 });
  });

  test.each([
    ['nothing', {}, 'Give either "ids" or "deadOfRealmId".', []],
    ['both', { ids: ['evt_1'], deadOfRealmId: '1' }, 'Give either "ids" or "deadOfRealmId".', []],
    ['no ids', { ids: [] }, 'Give 1 to 100 ids; these are 0.', ['ids']],
    ['101 ids', { ids: Array(101).fill('evt_1') }, 'Give 1 to 100 ids; these are 101.', ['ids']],
  ])('%s is refused, and nothing is tried', async (_what, input, message, path) => {
    await insertEvent('DEAD', { id: 'evt_1' });
    const before = await rows();
    expect(await replay(input)).toEqual({
      events: null,
      hasMore: null,
      userErrors: [{ code: 'INVALID', message, path }],
    });
    expect(await rows()).toEqual(before);
  });
});

test('a notification that could not be read is kept as IGNORED with the time, and can be found', async () => {
  const { status } = await deliver(app, [{ nonsense: true }]);
  expect(status).toBe(200);
  const { webhookEvents } = await app.graphql.query(
    '{ webhookEvents(filter: { realmId: "" }) { nodes { state lastError entity receivedAt processedAt } } }',
  );
  const [{ receivedAt, ...rest }] = webhookEvents.nodes;
  expect(rest).toEqual({
    state: 'IGNORED',
    lastError: 'Its id is missing or malformed.',
    entity: '',
    processedAt: receivedAt,
  });
});
