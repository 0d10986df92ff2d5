import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { recordPayment } from '../../../src/application/purchase-orders/record-payment.js';
import { reversePayment } from '../../../src/application/purchase-orders/reverse-payment.js';
import { syncQboInvoiceStatus } from '../../../src/application/quickbooks/sync-qbo-invoice-status.js';
import type { Data } from '../../support/graphql-client.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';
import { Bookkeeper, balance, type InvoicedOrder, notify, Refused, rests } from './ledger-bench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench();
});

afterAll(() => bench.stop());

/** 2 × 499.00 + 477.00, in cents. */
const TOTAL = 147_500n;

const at = fc.nat({ max: 2 });
/** Whole units, so that the books' decimals need no arithmetic here. */
const amount = fc.integer({ min: 1, max: 900 });
const pick = fc.nat({ max: 20 });

/** What a bookkeeper, our own staff and QuickBooks' events may do next. Numbers pick among what there is by then. */
const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pay' as const), at, amount, extra: fc.nat({ max: 50 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('pay several' as const), amount, extra: fc.nat({ max: 50 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('credit memo' as const), at, amount }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pay with credit' as const), at, amount }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('edit amount' as const), pick, amount }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('edit day' as const), pick, day: fc.integer({ min: 10, max: 28 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('move' as const), pick, at, amount }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('void' as const, 'delete' as const, 'unapply' as const), pick }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pay by hand' as const), at, amount }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reverse by hand' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete invoice' as const), at }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('sync' as const), at, times: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('event' as const), pick, twice: fc.boolean() }) },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

/** Three orders of one customer, and what happened to them. */
class Story {
  readonly orders: readonly InvoicedOrder[];
  readonly #bookkeeper = new Bookkeeper(bench);
  readonly #payments: string[] = [];
  readonly #byHand: { id: string; order: number; cents: bigint; isReversed: boolean }[] = [];

  constructor(orders: readonly InvoicedOrder[]) {
    this.orders = orders;
  }

  async play(next: Action): Promise<void> {
    try {
      await this.#play(next);
    } catch (error) {
      // QuickBooks has rules of its own, e.g. that nothing is paid twice. What it refuses did not happen.
      if (!(error instanceof Refused)) throw error;
    }
  }

  async #play(next: Action): Promise<void> {
    const invoice = (index: number) => String(this.orders[index]?.externalId);
    const made = 'pick' in next ? this.#payments[next.pick % Math.max(1, this.#payments.length)] : undefined;
    switch (next.kind) {
      case 'pay':
        this.#payments.push(await this.#bookkeeper.pay(next.amount + next.extra, { [invoice(next.at)]: next.amount }));
        return;
      case 'pay several': {
        const shares = { [invoice(0)]: next.amount, [invoice(1)]: 1, [invoice(2)]: 25 };
        this.#payments.push(await this.#bookkeeper.pay(next.amount + 26 + next.extra, shares));
        return;
      }
      case 'credit memo':
        this.#payments.push(await this.#bookkeeper.credit(invoice(next.at), next.amount));
        return;
      case 'pay with credit': {
        const memo = await this.#bookkeeper.creditMemo(invoice(next.at), next.amount);
        const shares = { [invoice(next.at)]: next.amount, [invoice((next.at + 1) % 3)]: 40 };
        this.#payments.push(await this.#bookkeeper.payWithCredit(40, shares, { [memo]: next.amount }));
        return;
      }
      case 'edit amount':
        if (made) await this.#bookkeeper.edit(made, { amount: `${next.amount}.00` });
        return;
      case 'edit day':
        if (made) await this.#bookkeeper.edit(made, { paidOn: `2026-10-${next.day}` });
        return;
      case 'move':
        if (made) await this.#bookkeeper.reassign(made, { [invoice(next.at)]: next.amount });
        return;
      case 'void':
      case 'delete':
        if (made) await this.#bookkeeper[next.kind](made);
        return;
      case 'unapply':
        if (made) await this.#bookkeeper.reassign(made, {});
        return;
      case 'pay by hand':
        return this.#payByHand(next.at, next.amount);
      case 'reverse by hand':
        return this.#reverseByHand(next.pick);
      case 'delete invoice':
        return this.#bookkeeper.deleteInvoice(invoice(next.at));
      case 'sync':
        await Promise.all(Array.from({ length: next.times }, () => this.#sync(next.at)));
        return;
      case 'event':
        if (made) await Promise.all((next.twice ? [1, 2] : [1]).map(() => notify(bench, 'payment', made)));
        return;
    }
  }

  async #payByHand(order: number, units: number): Promise<void> {
    const input = { purchaseOrderId: String(this.orders[order]?.id), amount: `${units}.00`, method: 'WIRE' };
    const { id } = await recordPayment(bench.process(), input);
    if (id) this.#byHand.push({ id, order, cents: BigInt(units) * 100n, isReversed: false });
  }

  async #reverseByHand(index: number): Promise<void> {
    const payment = this.#byHand[index % Math.max(1, this.#byHand.length)];
    if (!payment) return;
    await reversePayment(bench.process(), { paymentId: payment.id, reason: 'By mistake' });
    payment.isReversed = true;
  }

  async #sync(order: number) {
    return syncQboInvoiceStatus(bench.process(), { purchaseOrderId: String(this.orders[order]?.id) });
  }

  /** Every event comes in at last, and every order is looked at once more. */
  async settle(): Promise<void> {
    for (const id of this.#payments) {
      expect((await notify(bench, 'payment', id)).state).toMatch(/DONE|IGNORED/);
    }
    for (const order of this.orders.keys()) {
      const { failures } = await this.#sync(order);
      expect(failures.filter(({ code }) => code !== 'NO_QBO_INVOICE')).toEqual([]);
    }
  }

  /** The balance of an order as it follows from the books and from what was entered by hand, in another way than ours. */
  expectedBalance(order: number, books: Data): string {
    const standing = this.#byHand.filter((payment) => payment.order === order && !payment.isReversed);
    let paid = standing.reduce((sum, { cents }) => sum + cents, 0n);
    let credited = 0n;
    for (const payment of books.payments) {
      const share = shareInBooks(payment, String(this.orders[order]?.externalId));
      paid += share.cash;
      credited += share.credit;
    }
    const due = TOTAL - paid - credited;
    const status = due === 0n ? 'PAID' : due < 0n ? 'OVERPAID' : paid > 0n ? 'PARTIALLY_PAID' : 'SENT';
    return `${status} paid ${paid} credited ${credited} due ${due}`;
  }
}

const cents = (units: number) => BigInt(Math.round(units * 100));

/** Laid end to end, the invoice lines are paid by the credit first. */
function shareInBooks({ Line }: Data, invoiceId: string): { cash: bigint; credit: bigint } {
  const lines: { type: string; id: string; amount: bigint }[] = Line.map(({ Amount, LinkedTxn: [linked] }: Data) => {
    return { type: linked.TxnType, id: linked.TxnId, amount: cents(Amount) };
  });
  let credit = lines.filter(({ type }) => type === 'CreditMemo').reduce((sum, { amount: each }) => sum + each, 0n);
  const share = { cash: 0n, credit: 0n };
  for (const line of lines.filter(({ type }) => type === 'Invoice')) {
    let covered = credit;
    if (line.amount < credit) covered = line.amount;
    credit -= covered;
    if (line.id !== invoiceId) continue;
    share.credit += covered;
    share.cash += line.amount - covered;
  }
  return share;
}

/** Payments that were ever booked on an order and of which the books have a rest. */
async function expectedRests(orderId: string, books: Data): Promise<string[]> {
  const booked = await bench.sql(
    `select provider_payment_id as id from payment where purchase_order_id = ? and source = 'QBO'
     union select provider_payment_id from credit_note where purchase_order_id = ? and source = 'QBO'`,
    [orderId, orderId],
  );
  const ids = new Set(booked.map(({ id }) => id));
  return books.payments
    .filter(({ Id, UnappliedAmt }: Data) => ids.has(Id) && UnappliedAmt > 0)
    .map(({ Id, UnappliedAmt }: Data) => `${Id} ${cents(UnappliedAmt)}`);
}

/** Payments or credits of which two revisions stand at once: never any. */
async function standingTwice(): Promise<Data[]> {
  const standing = (table: string, reversal: string) =>
    `select provider_payment_id, provider_invoice_id from ${table} where source = 'QBO'
       and not exists (select from ${reversal} where ${table}_id = ${table}.id)
     group by 1, 2 having count(*) > 1`;
  return bench.sql(
    `${standing('payment', 'payment_reversal')} union all ${standing('credit_note', 'credit_note_reversal')}`,
  );
}

let organisations = 0;

test('W-Q13: whatever a bookkeeper does, and whenever we look, the orders end with what the books say', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 8, maxLength: 14 }), async (actions) => {
      organisations += 1;
      const organizationName = `Random ${organisations}`;
      const orders = [];
      for (let index = 0; index < 3; index++) orders.push(await bench.invoicedOrder({ organizationName }));
      const story = new Story(orders);
      for (const next of actions) await story.play(next);
      await story.settle();
      const books = await bench.books();
      for (const [index, { id }] of orders.entries()) {
        expect(await balance(bench, id)).toBe(story.expectedBalance(index, books));
        expect((await rests(bench, id)).toSorted()).toEqual((await expectedRests(id, books)).toSorted());
      }
      expect(await standingTwice()).toEqual([]);
    }),
    // About a second and a half a story. A failure prints its seed and path, which fc.assert takes to repeat it.
    { numRuns: 10 },
  );
}, 120_000);
