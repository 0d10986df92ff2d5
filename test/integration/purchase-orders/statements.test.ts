import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { graphql } from 'graphql';
import { createGraphQLContext } from '../../../src/api/graphql/context.js';
import { buildGraphQLSchema } from '../../../src/api/graphql/schema.js';
import { createConference } from '../../../src/application/conferences/create-conference.js';
import type { Actor, UseCaseContext } from '../../../src/application/context.js';
import { createPurchaseOrder } from '../../../src/application/purchase-orders/create-purchase-order.js';
import { issueCreditNote } from '../../../src/application/purchase-orders/issue-credit-note.js';
import { recordPayment } from '../../../src/application/purchase-orders/record-payment.js';
import { standardWaits } from '../../../src/application/waits.js';
import { ALL_GRANTS, NO_GRANTS } from '../../../src/domain/access/grants.js';
import { ActorKind } from '../../../src/domain/audit/actor.js';
import { systemClock } from '../../../src/domain/clock.js';
import { randomIds } from '../../../src/domain/ids.js';
import { openOrm } from '../../../src/infrastructure/database/orm.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import type { Data } from '../../support/graphql-client.js';

const ACTOR = { id: 'key_1', name: 'tester', kind: ActorKind.API_KEY, grants: ALL_GRANTS };

describe('how many statements a document costs', () => {
  const schema = buildGraphQLSchema();
  const statements: string[] = [];
  const orderIds: string[] = [];
  const creditNoteIds: string[] = [];
  let database: TestDatabase;
  let orm: MikroORM;

  beforeAll(async () => {
    database = await createTestDatabase();
    orm = await openOrm(database.url, {
      debug: ['query'],
      colors: false,
      logger: (line) => {
        statements.push(line);
      },
    });
    const context = (): UseCaseContext => ({
      em: orm.em.fork(),
      clock: systemClock,
      ids: randomIds,
      actor: ACTOR,
      waits: standardWaits,
    });
    const fields = { name: 'Conference', slug: 'conference', currencyCode: 'USD', timezone: 'UTC' };
    const { id: conferenceId } = await createConference(context(), fields);
    for (let index = 0; index < 25; index++) {
      const { id } = await createPurchaseOrder(context(), {
        conferenceId: String(conferenceId),
        organizationName: `Organisation ${index}`,
        contactEmail: 'a@b.example',
        lineItems: [{ description: 'Ticket', quantity: 2, unitPrice: '100.00' }],
      });
      const purchaseOrderId = String(id);
      orderIds.push(purchaseOrderId);
      await recordPayment(context(), { purchaseOrderId, amount: '50.00', method: 'WIRE' });
      const note = await issueCreditNote(context(), { purchaseOrderId, amount: '10.00', reason: 'Goodwill' });
      creditNoteIds.push(String(note.id));
    }
  });

  afterAll(async () => {
    await orm.close();
    await database.drop();
  });

  async function run(source: string): Promise<{ data: Data; cost: number }> {
    const { data, errors } = await answer(source);
    expect(errors).toBeUndefined();
    return { data, cost: statements.length };
  }

  async function answer(source: string, actor: Actor = ACTOR) {
    const forkEntityManager = (): EntityManager => orm.em.fork();
    const createUseCaseContext = () => {
      throw new Error('a query changes nothing');
    };
    const onUnexpectedError = () => undefined;
    const contextValue = createGraphQLContext(
      { forkEntityManager, createUseCaseContext, onUnexpectedError },
      { actor, address: '127.0.0.1', requestId: 'request' },
    );
    statements.length = 0;
    return graphql({ schema, source, contextValue });
  }

  const RELATIONS = `conference { slug } lineItems { id } payments { nodes { id reversedBy { id } } } creditNotes { nodes { id } }
    invoice { id history { at } } invoices { nodes { id history { action } } } qboInvoice { id } qboInvoiceId qboInvoiceUrl
    stripeInvoice { id } stripeInvoiceId stripeInvoiceUrl attention { code }`;
  const SUMS = 'id status total { amount } totalPaid { amount } totalCredited { amount } balanceDue { amount }';

  test('a list of 20 orders with all their sums costs one', async () => {
    const { data, cost } = await run(`{ purchaseOrders { nodes { ${SUMS} } } }`);
    expect(data.purchaseOrders.nodes).toHaveLength(20);
    expect(data.purchaseOrders.nodes[0]).toMatchObject({
      totalPaid: { amount: '50.00' },
      totalCredited: { amount: '10.00' },
      balanceDue: { amount: '140.00' },
    });
    expect(cost).toBe(1);
  });

  test('counting them costs one more, and only when it is asked for', async () => {
    const { data, cost } = await run(`{ purchaseOrders { totalCount nodes { ${SUMS} } } }`);
    expect(data.purchaseOrders.totalCount).toBe(25);
    expect(cost).toBe(2);
  });

  const DETAILS = `conference { slug } lineItems { description lineTotal { amount } }
    payments { totalCount nodes { amount { amount } reversedBy { id } } } creditNotes { totalCount nodes { reason } }
    invoice { id } invoices { totalCount nodes { id } } qboInvoice { id } stripeInvoiceUrl`;
  const DETAILED = {
    conference: { slug: 'conference' },
    lineItems: [{ description: 'Ticket', lineTotal: { amount: '200.00' } }],
    payments: { totalCount: 1, nodes: [{ amount: { amount: '50.00' }, reversedBy: null }] },
    creditNotes: { totalCount: 1, nodes: [{ reason: 'Goodwill' }] },
    invoice: null,
    invoices: { totalCount: 0, nodes: [] },
    qboInvoice: null,
    stripeInvoiceUrl: null,
  };

  test.each([1, 20, 25, 100])(
    'a page of %i with lines, payments, credits, invoices and conference costs one',
    async (first) => {
      const { data, cost } = await run(`{ purchaseOrders(first: ${first}) { nodes { ${SUMS} ${DETAILS} } } }`);
      expect(data.purchaseOrders.nodes).toHaveLength(Math.min(first, 25));
      for (const order of data.purchaseOrders.nodes) expect(order).toMatchObject(DETAILED);
      expect(cost).toBe(1);
    },
  );

  test.each([
    ['as edges', `{ purchaseOrders { edges { node { ${DETAILS} } } } }`],
    [
      'in a fragment',
      `{ purchaseOrders { ...Page } } fragment Page on PurchaseOrderConnection { nodes { ...Order } }
      fragment Order on PurchaseOrder { ... on Node { id } ... { ${DETAILS} } }`,
    ],
    [
      'under other names',
      '{ some: purchaseOrders { items: nodes { lines: lineItems { id } paid: payments(first: 1) { totalCount } } } }',
    ],
    [
      'in two selections of the same field',
      '{ purchaseOrders { nodes { lineItems { id } } nodes { payments { totalCount } } } }',
    ],
  ])('also when they are selected %s', async (_how, source) => {
    expect((await run(source)).cost).toBe(1);
  });

  test('through a conference a page costs one beside the conference', async () => {
    const { data, cost } = await run(`{ conference(slug: "conference") { purchaseOrders { nodes { ${DETAILS} } } } }`);
    expect(data.conference.purchaseOrders.nodes[19]).toMatchObject(DETAILED);
    expect(cost).toBe(2);
  });

  test('one order by its id or its reference with all that costs one', async () => {
    const { data, cost } = await run(`{ purchaseOrder(id: "${orderIds[0]}") { reference ${DETAILS} } }`);
    expect(data.purchaseOrder).toMatchObject(DETAILED);
    expect(cost).toBe(1);
    const { reference } = data.purchaseOrder;
    expect(await run(`{ purchaseOrder(reference: "${reference}") { reference ${DETAILS} } }`)).toEqual({
      data,
      cost: 1,
    });
  });

  test('what is skipped is not read', async () => {
    await run(
      '{ purchaseOrders { nodes { id lineItems @skip(if: true) { id } payments @include(if: false) { totalCount } } } }',
    );
    expect(statements.join()).not.toMatch(/from (line_item|payment)/);
    await run('{ purchaseOrders { nodes { id lineItems @skip(if: false) { id } } } }');
    expect(statements.join()).toMatch(/from line_item/);
  });

  test('a list of 20 orders with everything they refer to costs two', async () => {
    const { data, cost } = await run(`{ purchaseOrders { nodes { ${SUMS} ${RELATIONS} } } }`);
    expect(data.purchaseOrders.nodes).toHaveLength(20);
    // The page, and the rests of payments.
    expect(cost).toBe(2);
  });

  test('and two more where orders have invoices, for what is booked on them and what happened to them', async () => {
    const values = orderIds.map(
      (_, index) => `('inv_${index}', ?, 'QBO', 'SANDBOX:1', '${index}', 'OPEN', 'USD', 1, 1, now(), now())`,
    );
    await orm.em.fork().execute(
      `insert into invoice (id, purchase_order_id, provider, company_id, external_id, status, currency_code, total_minor,
         balance_minor, created_at, updated_at) values ${values.join(', ')}`,
      orderIds,
    );
    expect((await run(`{ purchaseOrders { nodes { ${SUMS} ${RELATIONS} } } }`)).cost).toBe(4);
    expect((await run(`{ purchaseOrder(id: "${orderIds[0]}") { ${SUMS} ${RELATIONS} } }`)).cost).toBe(4);
    await orm.em.fork().execute('delete from invoice');
  });

  test('the histories of 20 orders cost one, their lengths one more', async () => {
    const history = 'history(first: 2) { nodes { action } pageInfo { hasNextPage } }';
    const { data, cost } = await run(`{ purchaseOrders { nodes { id ${history} } } }`);
    expect(cost).toBe(2);
    expect(data.purchaseOrders.nodes.map((order: Data) => order.history)).toEqual(
      Array.from({ length: 20 }, () => ({
        nodes: [{ action: 'CREDIT_NOTE_ISSUED' }, { action: 'PAYMENT_RECORDED' }],
        pageInfo: { hasNextPage: true },
      })),
    );
    const counted = await run('{ purchaseOrders { nodes { id history { totalCount } } } }');
    expect(counted.data.purchaseOrders.nodes[19].history).toEqual({ totalCount: 3 });
    expect(counted.cost).toBe(3);
  });

  test('the history is null to the portal of the order, at no cost', async () => {
    const purchaseOrderId = String(orderIds[0]);
    const portal = { ...ACTOR, grants: { ...NO_GRANTS, purchaseOrderId } };
    const { data, errors } = await answer(
      `{ purchaseOrder(id: "${purchaseOrderId}") { id history { totalCount } } }`,
      portal,
    );
    expect(data).toEqual({ purchaseOrder: { id: purchaseOrderId, history: null } });
    expect(errors).toBeUndefined();
    expect(statements.filter((line) => line.includes('audit_event'))).toEqual([]);
  });

  test('one order costs as much as twenty', async () => {
    expect((await run(`{ purchaseOrder(id: "${orderIds[0]}") { ${SUMS} ${RELATIONS} } }`)).cost).toBe(2);
  });

  test('20 orders by their ids cost one', async () => {
    const ids = JSON.stringify(orderIds.slice(0, 20));
    const { data, cost } = await run(`{ nodes(ids: ${ids}) { id ... on PurchaseOrder { ${SUMS} } } }`);
    expect(data.nodes.map(({ id }: Data) => id)).toEqual(orderIds.slice(0, 20));
    expect(cost).toBe(1);
  });

  test('20 credit notes by their ids cost three: the notes, their reversals and the orders whose currency they have', async () => {
    const ids = JSON.stringify(creditNoteIds.slice(0, 20));
    const { data, cost } = await run(`{ nodes(ids: ${ids}) { id ... on CreditNote { amount { amount } } } }`);
    expect(data.nodes).toHaveLength(20);
    expect(cost).toBe(3);
  });
});
