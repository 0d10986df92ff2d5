import { createQboInvoices } from '../../../src/application/bulk-invoicing/create-qbo-invoices.js';
import { workOffBulkInvoicing } from '../../../src/application/bulk-invoicing/work-off-bulk-invoicing.js';
import type { InvoicingContext } from '../../../src/application/invoicing/invoicing-context.js';
import { resumeOperations } from '../../../src/application/invoicing/resume-operations.js';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import type { Data } from '../../support/graphql-client.js';
import { die, idOf, startWorkbench, type Workbench, type WorkbenchOptions } from '../../support/workbench.js';

export const BATCHES = { path: '/batch' };
const SECOND = 1_000;
export const MINUTE = 60 * SECOND;

/** Orders of one customer that QuickBooks knows, and what is done with many of them at a time. */
export class BulkBench {
  readonly bench: Workbench;
  /** What nobody foresaw, oldest first. */
  readonly unforeseen: unknown[] = [];

  private constructor(bench: Workbench) {
    this.bench = bench;
  }

  static async start(options: WorkbenchOptions = {}): Promise<BulkBench> {
    // An envelope takes longer than a single call, and a busy machine longer still.
    const bulk = new BulkBench(await startWorkbench({ timeoutMs: 20_000, ...options }));
    await bulk.bench.sql(
      `insert into api_key (id, name, key_hash, prefix, kind, created_by, created_by_id, created_at)
       values (?, 'test', 'hash of test', 'test', 'ADMINISTRATOR', 'test', 'test', now())`,
      [bulk.bench.context.actor.id],
    );
    const [known = ''] = await bulk.orders(1);
    await createQboInvoice(bulk.bench.process(), { purchaseOrderId: known });
    return bulk;
  }

  async orders(count: number): Promise<string[]> {
    const ids: string[] = [];
    while (ids.length < count) ids.push(await this.bench.order({ organizationName: 'Known Ltd' }));
    return ids;
  }

  async begin(purchaseOrderIds: readonly string[]): Promise<string> {
    return idOf(await createQboInvoices(this.bench.process(), { purchaseOrderIds }));
  }

  /** One turn of the background. */
  turn(id: string, context = this.bench.process()): Promise<Date | undefined> {
    return workOffBulkInvoicing(context, id, (error) => void this.unforeseen.push(error));
  }

  /** As many turns as it takes to work on whatever is due now. */
  async workOff(id: string, context?: InvoicingContext): Promise<void> {
    const now = this.bench.clock.now();
    const isDue = ({ state, resume_at }: Data) => state === 'PENDING' && (!resume_at || new Date(resume_at) <= now);
    do await this.turn(id, context);
    while ((await this.items(id)).some(isDue));
  }

  /** A process that dies at this call to QuickBooks: it does nothing any more, nor writes down what went wrong. */
  dyingAt(call: 'prepareInvoices' | 'createInvoices'): InvoicingContext {
    let isDead = false;
    const context = this.bench.with({
      [call]: () => {
        isDead = true;
        die();
      },
    });
    return { ...context, clock: { now: () => (isDead ? die() : this.bench.clock.now()) } };
  }

  /** The bulk after its first turns, and the orders. */
  async workedOff(count: number): Promise<{ readonly id: string; readonly orders: readonly string[] }> {
    const orders = await this.orders(count);
    const id = await this.begin(orders);
    await this.bench.quickbooks.delete('/requests');
    await this.workOff(id);
    return { id, orders };
  }

  async resume(): Promise<void> {
    await resumeOperations(this.bench.process());
  }

  /** The background's next turns, once whoever was at work on it is given up. */
  async goOn(id: string, afterMs = 4 * MINUTE): Promise<void> {
    await this.bench.later(afterMs);
    await this.bench.quickbooks.delete('/requests');
    await this.resume();
    await this.workOff(id);
  }

  items(id: string): Promise<Data[]> {
    return this.bench.sql('select * from bulk_invoicing_item where bulk_invoicing_id = ? order by position', [id]);
  }

  async results(id: string): Promise<string[]> {
    return (await this.items(id)).map((item) => [item.state, item.error_code].filter(Boolean).join(' '));
  }

  operations(orders: readonly string[]): Promise<Data[]> {
    return this.bench.sql('select * from provider_operation where subject in (?) order by created_at, generation', [
      orders,
    ]);
  }

  async envelopes(): Promise<Data[]> {
    return this.bench.sql("select * from provider_operation where kind = 'CREATE_INVOICES' order by created_at");
  }

  /** The paths of the writes since the log was emptied. */
  async writes(): Promise<string[]> {
    return (await this.bench.quickbooks.requests('?kind=write')).map(({ path }) => path.replace(/^.*\d{16}/, ''));
  }

  /** How many invoices QuickBooks has for each of the orders. */
  async booked(orders: readonly string[]): Promise<number[]> {
    const { invoices } = await this.bench.books();
    const rows = await this.bench.sql('select id, reference from purchase_order where id in (?)', [orders]);
    return orders.map((id) => {
      const { reference } = rows.find((row) => row.id === id) ?? {};
      return invoices.filter((invoice: Data) => String(invoice.PrivateNote).includes(reference)).length;
    });
  }

  strike(rule: Record<string, unknown>): Promise<Data> {
    return this.bench.quickbooks.post('/faults', { match: BATCHES, ...rule });
  }

  company(settings: Record<string, unknown>): Promise<Data> {
    return this.bench.quickbooks.patch(`/companies/${this.bench.realmId}`, settings);
  }

  /** What is left open by one test is none of the next one's. */
  async calm(): Promise<void> {
    const { quickbooks, sql } = this.bench;
    this.unforeseen.length = 0;
    await quickbooks.delete('/faults');
    await this.company({ shuffleBatchAnswers: false, failRepeatedBatchItems: false });
    await sql("update provider_operation set state = 'REFUSED' where state in ('CLAIMED', 'IN_FLIGHT', 'UNKNOWN')");
    await sql("delete from bulk_invoicing_item where state = 'PENDING'");
    await sql('update qbo_connection set writes_paused_until = null, writes_pauses = 0');
    await quickbooks.delete('/requests');
  }
}
