import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createApiKey } from '../../../src/application/access/create-api-key.js';
import { revokeApiKey } from '../../../src/application/access/revoke-api-key.js';
import { createQboInvoices } from '../../../src/application/bulk-invoicing/create-qbo-invoices.js';
import { createConference } from '../../../src/application/conferences/create-conference.js';
import type { Actor } from '../../../src/application/context.js';
import { failed } from '../../../src/application/ports/provider.js';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import { ConferenceRole, NO_GRANTS } from '../../../src/domain/access/grants.js';
import { ActorKind } from '../../../src/domain/audit/actor.js';
import { idOf } from '../../support/workbench.js';
import { BulkBench, MINUTE } from './support.js';

let bulk: BulkBench;

beforeAll(async () => {
  bulk = await BulkBench.start();
});

beforeEach(() => bulk.calm());

afterAll(() => bulk.bench.stop());

let keys = 0;

/** A key with the role FINANCE in these conferences, as it bears itself. */
async function bearer(conferenceIds: readonly string[], expiresAt: Date | null = null): Promise<Actor> {
  keys += 1;
  const roles = conferenceIds.map((conferenceId) => ({ conferenceId, role: ConferenceRole.FINANCE }));
  const name = `finance ${keys}`;
  const id = idOf(await createApiKey(bulk.bench.process(), { name, roles, expiresAt }));
  const grants = { ...NO_GRANTS, roles: new Map(conferenceIds.map((each) => [each, ConferenceRole.FINANCE])) };
  return { id, name, kind: ActorKind.API_KEY, grants };
}

async function begin(actor: Actor, purchaseOrderIds: readonly string[]): Promise<string> {
  return idOf(await createQboInvoices({ ...bulk.bench.process(), actor }, { purchaseOrderIds }));
}

const revoke = (apiKeyId: string) => revokeApiKey(bulk.bench.process(), { apiKeyId });

/** A bulk of two orders that its bearer began and that was put off, so that it goes on later. */
async function putOff(actor: Actor) {
  const orders = await bulk.orders(2);
  const id = await begin(actor, orders);
  await bulk.strike({ kind: '429' });
  await bulk.workOff(id);
  expect(await bulk.results(id)).toEqual(['PENDING QBO_UNAVAILABLE', 'PENDING QBO_UNAVAILABLE']);
  return { id, orders };
}

async function expectForbidden(id: string, orders: readonly string[]) {
  expect(await bulk.writes()).toEqual([]);
  expect(await bulk.results(id)).toEqual(orders.map(() => 'FAILED FORBIDDEN'));
  expect(await bulk.booked(orders)).toEqual(orders.map(() => 0));
  const [row] = await bulk.bench.sql('select finished_at from bulk_invoicing where id = ?', [id]);
  expect(row?.finished_at).not.toBeNull();
}

describe('A bulk goes on', () => {
  test('while the key that asked for it may invoice', async () => {
    const { id, orders } = await putOff(await bearer([bulk.bench.conferenceId]));
    await bulk.goOn(id);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(await bulk.booked(orders)).toEqual([1, 1]);
  });

  test('of somebody with a token, of which nothing can be asked later', async () => {
    const actor = { ...bulk.bench.context.actor, id: 'jwt:somebody', kind: ActorKind.USER };
    const { id, orders } = await putOff(actor);
    await bulk.goOn(id);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(await bulk.booked(orders)).toEqual([1, 1]);
  });
});

describe('Nothing more is sent of a bulk', () => {
  test('whose key was revoked', async () => {
    const actor = await bearer([bulk.bench.conferenceId]);
    const { id, orders } = await putOff(actor);
    await revoke(actor.id);
    await bulk.goOn(id);
    await expectForbidden(id, orders);
  });

  test('whose key has expired', async () => {
    const end = new Date(bulk.bench.clock.now().getTime() + 60 * MINUTE);
    const { id, orders } = await putOff(await bearer([bulk.bench.conferenceId], end));
    await bulk.goOn(id, 61 * MINUTE);
    await expectForbidden(id, orders);
  });

  test('in the conference in which its key lost the role', async () => {
    const conference = { name: 'Other', slug: 'other', currencyCode: 'USD', timezone: 'UTC' };
    const other = idOf(await createConference(bulk.bench.process(), conference));
    await bulk.bench.sql(
      `update conference set qbo_connection_id = (select qbo_connection_id from conference where id = ?) where id = ?`,
      [bulk.bench.conferenceId, other],
    );
    const actor = await bearer([bulk.bench.conferenceId, other]);
    const [here = ''] = await bulk.orders(1);
    const there = await bulk.bench.order({ conferenceId: other, organizationName: 'Known Ltd' });
    const id = await begin(actor, [there, here]);
    await bulk.bench.sql('update api_key_role set ended_at = now() where api_key_id = ? and conference_id = ?', [
      actor.id,
      other,
    ]);
    await bulk.workOff(id);
    expect(await bulk.results(id)).toEqual(['FAILED FORBIDDEN', 'SUCCEEDED']);
    expect(await bulk.booked([there, here])).toEqual([0, 1]);
  });

  test('also of what was claimed already', async () => {
    const actor = await bearer([bulk.bench.conferenceId]);
    const orders = [await bulk.bench.order({ organizationName: 'Claimed Ltd' })];
    const id = await begin(actor, orders);
    const lost = async () => failed({ kind: 'unknown', message: 'Lost.', trace: {} });
    await bulk.workOff(id, bulk.bench.with({ createCustomer: lost }));
    await revoke(actor.id);
    await bulk.bench.later(4 * MINUTE);
    await bulk.workOff(id);
    await bulk.resume();
    expect(await bulk.operations(orders)).toMatchObject([{ state: 'REFUSED', attempts: 0 }]);
    expect(await bulk.writes()).not.toContain('/invoice');
    expect(await bulk.results(id)).toEqual(['FAILED FORBIDDEN']);
    expect(await bulk.booked(orders)).toEqual([0]);
  });

  test('but what somebody else goes on with meanwhile is left to them', async () => {
    const actor = await bearer([bulk.bench.conferenceId]);
    const orders = [await bulk.bench.order({ organizationName: 'Taken Over Ltd' })];
    const id = await begin(actor, orders);
    const lost = async () => failed({ kind: 'unknown', message: 'Lost.', trace: {} });
    await bulk.workOff(id, bulk.bench.with({ createCustomer: lost }));
    await revoke(actor.id);
    await bulk.bench.later(4 * MINUTE);
    const { accounting } = bulk.bench.context;
    const meanwhile = bulk.bench.with({
      findCustomersByName: async (connectionId, names) => {
        await bulk.turn(id);
        expect(await bulk.results(id)).toEqual(['PENDING OUTCOME_UNKNOWN']);
        return accounting.findCustomersByName(connectionId, names);
      },
    });
    expect(await createQboInvoice(meanwhile, { purchaseOrderId: String(orders[0]) })).toEqual({
      id: orders[0],
      failures: [],
    });
    await bulk.goOn(id, 90 * MINUTE);
    expect(await bulk.results(id)).toEqual(['SUCCEEDED']);
    expect(await bulk.booked(orders)).toEqual([1]);
  });
});

test('What was sent before the key was revoked is found out, and is the result', async () => {
  const actor = await bearer([bulk.bench.conferenceId]);
  const orders = await bulk.orders(2);
  const id = await begin(actor, orders);
  await bulk.strike({ kind: 'reset', when: 'after' });
  await bulk.workOff(id);
  await revoke(actor.id);
  await bulk.bench.later(MINUTE);
  await bulk.workOff(id);
  expect(await bulk.results(id)).toEqual(['PENDING OUTCOME_UNKNOWN', 'PENDING OUTCOME_UNKNOWN']);
  await bulk.goOn(id);
  expect(await bulk.results(id)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
  expect(await bulk.booked(orders)).toEqual([1, 1]);
});
