import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Bench, type Body, errorOf, invoiceBody } from './support.js';

let bench: Bench;
let customer: Body;
beforeAll(async () => {
  bench = await Bench.start();
});
beforeEach(async () => {
  await bench.control('POST', '/reset', {});
  customer = await bench.customer();
});
afterAll(() => bench.simulator.stop());

const create = (bId: string, amount = '100.00') => ({
  bId,
  operation: 'create',
  Invoice: invoiceBody(customer.Id, amount),
});
const send = (ids: readonly string[], requestId = 'batch') =>
  bench.post(`/batch?requestid=${requestId}`, { BatchItemRequest: ids.map((id) => create(id)) });
const invoices = async (): Promise<Body[]> => (await bench.books()).invoices;
const strike = (rule: object) =>
  bench.control('POST', '/faults', { match: { realmId: bench.realmId, path: '/batch' }, ...rule });
const settings = (changed: object) => bench.control('PATCH', `/companies/${bench.realmId}`, changed);
const idsOf = (answer: Body): string[] => answer.body.BatchItemResponse.map(({ bId }: Body) => bId);
const made = (answer: Body): string[] => answer.body.BatchItemResponse.map(({ Invoice }: Body) => Invoice?.Id);

describe('A batch that comes again with the same request id', () => {
  test('is answered item by item as the first time, and makes nothing new', async () => {
    const first = await send(['1', '2']);
    expect((await send(['1', '2'])).body.BatchItemResponse).toEqual(first.body.BatchItemResponse);
    expect(await invoices()).toHaveLength(2);
  });

  test('carries out an item that was refused the first time', async () => {
    const good = create('1');
    const refused = await bench.post('/batch?requestid=batch', {
      BatchItemRequest: [good, { bId: '2', operation: 'create', Invoice: {} }],
    });
    expect(refused.body.BatchItemResponse).toMatchObject([{ Invoice: {} }, { Fault: { Error: [{ code: '2020' }] } }]);
    await bench.post('/batch?requestid=batch', { BatchItemRequest: [good, create('2')] });
    expect(await invoices()).toHaveLength(2);
  });

  test('makes everything anew once its ids are forgotten, and with another request id', async () => {
    await send(['1']);
    await bench.control('POST', '/forget-requestids', { realmId: bench.realmId });
    await send(['1']);
    await send(['1'], 'another');
    expect(await invoices()).toHaveLength(3);
  });

  test('is answered with 6000 where repetitions are trouble', async () => {
    await settings({ failRepeatedBatchItems: true });
    await send(['1']);
    const again = await send(['1', '2']);
    const [first, second] = again.body.BatchItemResponse;
    expect(first.Fault.Error).toMatchObject([{ code: '6000', Detail: expect.stringContaining('unexpected error') }]);
    expect(second.Invoice.Id).toEqual(expect.any(String));
    expect(await invoices()).toHaveLength(2);
  });
});

describe('The ids of a batch', () => {
  test('are at most 36 characters for the request', async () => {
    expect((await send(['1'], 'r'.repeat(36))).status).toBe(200);
    const refused = await send(['1'], 'r'.repeat(37));
    expect([refused.status, errorOf(refused).code]).toEqual([400, '2130']);
    expect(await invoices()).toHaveLength(1);
  });

  test('are at most 10 characters for an item, and 50 together', async () => {
    const answer = await send(['i'.repeat(10), 'i'.repeat(11), 'i'.repeat(36)], 'r'.repeat(32));
    expect(answer.body.BatchItemResponse).toMatchObject([
      { Invoice: {} },
      { Fault: { Error: [{ code: '2010' }] } },
      { Fault: { Error: [{ code: '6000', Detail: expect.stringContaining('which is 68 characters') }] } },
    ]);
    expect(await invoices()).toHaveLength(1);
  });
});

test('The answers of a batch may come in another order than the items', async () => {
  await settings({ shuffleBatchAnswers: true });
  expect(idsOf(await send(['1', '2', '3']))).toEqual(['3', '2', '1']);
});

describe('A fault that strikes some items of a batch', () => {
  test.each(['before', 'after'])('answers them with a fault, %s they are carried out', async (when) => {
    await strike({ kind: 'fault', code: '6210', items: [2], when });
    const answer = await send(['1', '2', '3']);
    expect(answer.status).toBe(200);
    expect(answer.body.BatchItemResponse[1]).toMatchObject({ bId: '2', Fault: { Error: [{ code: '6210' }] } });
    expect(await invoices()).toHaveLength(when === 'before' ? 2 : 3);
    expect((await bench.control('GET', `/requests?realmId=${bench.realmId}`)).requests.at(-1)).toMatchObject({
      fault: 'fault',
      faultWhen: when,
      status: '200',
    });
  });

  test.each(['before', 'after'])('leaves their answers out, %s they are carried out', async (when) => {
    await strike({ kind: 'omit', items: [1, 3], when });
    expect(idsOf(await send(['1', '2', '3']))).toEqual(['2']);
    expect(await invoices()).toHaveLength(when === 'before' ? 1 : 3);
  });

  test('gives their answers twice', async () => {
    await strike({ kind: 'repeat', items: [1] });
    const answer = await send(['1', '2']);
    expect(idsOf(answer)).toEqual(['1', '1', '2']);
    expect(new Set(made(answer)).size).toBe(2);
    expect(await invoices()).toHaveLength(2);
  });

  test('keeps them from being carried out, and then the call breaks', async () => {
    await strike({ kind: 'html502', items: [2] });
    const answer = await send(['1', '2', '3']);
    expect(answer.status).toBe(502);
    expect(await invoices()).toHaveLength(2);
    expect(made(await send(['1', '2', '3']))).toEqual([expect.any(String), expect.any(String), expect.any(String)]);
    expect(await invoices()).toHaveLength(3);
  });
});
