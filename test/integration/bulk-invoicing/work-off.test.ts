import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createQboInvoices } from '../../../src/application/bulk-invoicing/create-qbo-invoices.js';
import { workOffBulkInvoicing } from '../../../src/application/bulk-invoicing/work-off-bulk-invoicing.js';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import type { Data } from '../../support/graphql-client.js';
import { idOf, startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench();
  await createQboInvoice(bench.process(), { purchaseOrderId: await bench.order({ organizationName: 'Known Ltd' }) });
});

beforeEach(async () => {
  await bench.quickbooks.delete('/faults');
  await bench.quickbooks.delete('/requests');
});

afterAll(() => bench.stop());

async function orders(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index++) ids.push(await bench.order({ organizationName: 'Known Ltd' }));
  return ids;
}

const begin = async (purchaseOrderIds: readonly string[]) =>
  idOf(await createQboInvoices(bench.process(), { purchaseOrderIds }));

const workOff = (id: string) => workOffBulkInvoicing(bench.process(), id);

const items = (id: string): Promise<Data[]> =>
  bench.sql('select * from bulk_invoicing_item where bulk_invoicing_id = ? order by position', [id]);

const writes = async () =>
  (await bench.quickbooks.requests('?kind=write')).map(({ path }) => path.replace(/^.*\d{16}/, ''));

describe('sixty orders of a known customer', () => {
  test('are invoiced in two calls', async () => {
    const ids = await orders(60);
    const id = await begin(ids);
    await workOff(id);
    expect(await writes()).toEqual(['/batch', '/batch']);
    expect((await items(id)).map(({ state }) => state)).toEqual(ids.map(() => 'SUCCEEDED'));
  });
});
