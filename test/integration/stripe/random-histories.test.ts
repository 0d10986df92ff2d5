import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { recordPayment } from '../../../src/application/purchase-orders/record-payment.js';
import { dueStripeSweeps, sweepStripeConnection } from '../../../src/application/stripe/sweep-stripe-connection.js';
import { syncStripeInvoice } from '../../../src/application/stripe/sync-invoice.js';
import { nextDueEvent } from '../../../src/application/webhooks/pending-events.js';
import { processStripeEvents } from '../../../src/application/webhooks/process-stripe-events.js';
import { storeWebhookEvents } from '../../../src/application/webhooks/store-webhook-events.js';
import { StripeWebhooks } from '../../../src/infrastructure/stripe/webhooks.js';
import type { Data } from '../../support/graphql-client.js';
import { type StripeWorkbench, startStripeWorkbench } from '../../support/stripe-workbench.js';
import { attention, balance } from '../ledger/ledger-bench.js';
import type { StripeOrder } from './stripe-books.js';

let bench: StripeWorkbench;

beforeAll(async () => {
  bench = await startStripeWorkbench();
  await bench.stripe.post('/webhooks', { paused: true });
});

afterAll(() => bench.stop());

/** 2 × 499.00 + 477.00, in cents. */
const TOTAL = 147_500n;

const at = fc.nat({ max: 1 });
const amount = fc.integer({ min: 100, max: 90_000 });
const pick = fc.nat({ max: 20 });
const kind = <Kind extends string>(name: Kind) => fc.constant(name);

/** What buyers, banks, the bookkeeper and our own staff may do next, and what of it comes to us. */
const action = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: kind('pay'), at, amount }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('pay the rest'), at }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('pay by bank'), at, amount }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('settle'), pick, isGood: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('pay outside'), at }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('refund'), pick, amount }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('refund all'), pick }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('fail refund'), pick }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('dispute'), pick }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('decide'), pick, isGood: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind('credit'),
      at,
      amount,
      paidPart: fc.constantFrom('refund', 'credit', 'out_of_band'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('void credit'), pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('void' as const, 'give up' as const), at }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('wire'), at, amount }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('sync'), at, times: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: kind('events'), picks: fc.array(fc.nat({ max: 30 }), { maxLength: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('sweep') }) },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

/** Stripe's rules do not allow it: it did not happen. */
async function unlessRefused(work: () => Promise<unknown>): Promise<Data | undefined> {
  try {
    return (await work()) as Data;
  } catch (error) {
    if (error instanceof Error && / 40\d /.test(error.message)) return undefined;
    throw error;
  }
}

/** Two orders, and what happened to them. */
class Story {
  readonly orders: readonly StripeOrder[];
  readonly #intents: string[] = [];
  readonly #refunds: string[] = [];
  readonly #disputes: string[] = [];
  readonly #notes: string[] = [];
  readonly #wired = new Map<number, bigint>();

  constructor(orders: readonly StripeOrder[]) {
    this.orders = orders;
  }

  async play(next: Action): Promise<void> {
    const invoiceId = 'at' in next ? String(this.orders[next.at]?.externalId) : '';
    const one = (made: readonly string[]) => ('pick' in next ? made[next.pick % Math.max(1, made.length)] : undefined);
    switch (next.kind) {
      case 'pay':
        return this.#pay({ invoiceId, amount: next.amount });
      case 'pay the rest':
        return this.#pay({ invoiceId });
      case 'pay by bank':
        return this.#pay({ invoiceId, amount: next.amount, method: 'ach' });
      case 'settle': {
        const outcome = next.isGood ? 'succeeded' : 'failed';
        return this.#do('/settle-payment', { paymentIntentId: one(this.#intents), outcome });
      }
      case 'pay outside':
        return this.#do('/pay-out-of-band', { invoiceId });
      case 'refund':
      case 'refund all':
        return this.#refund(one(this.#intents), 'amount' in next ? next.amount : undefined);
      case 'fail refund':
        return this.#do('/fail-refund', { refundId: one(this.#refunds) });
      case 'dispute': {
        const made = await this.#control('/dispute', { paymentIntentId: one(this.#intents) });
        if (made) this.#disputes.push(made.dispute.id);
        return;
      }
      case 'decide':
        return this.#do('/close-dispute', { disputeId: one(this.#disputes), outcome: next.isGood ? 'won' : 'lost' });
      case 'credit': {
        const { amount, paidPart } = next;
        const made = await this.#control('/credit-note', { invoiceId, amount, paidPart });
        if (made) this.#notes.push(made.creditNote.id);
        return;
      }
      case 'void credit':
        return this.#do('/void-credit-note', { creditNoteId: one(this.#notes) });
      case 'void':
        return this.#do('/void-invoice', { invoiceId });
      case 'give up':
        return this.#do('/mark-uncollectible', { invoiceId });
      case 'wire':
        return this.#wire(next.at, next.amount);
      case 'sync':
        await Promise.all(Array.from({ length: next.times }, () => this.#sync(next.at)));
        return;
      case 'events':
        return deliver(next.picks);
      case 'sweep':
        return sweep();
    }
  }

  async #pay(order: Record<string, unknown>): Promise<void> {
    const made = await this.#control('/pay', order);
    if (made) this.#intents.push(made.paymentIntent.id);
  }

  async #refund(paymentIntentId: string | undefined, wanted: number | undefined): Promise<void> {
    const made = await this.#control('/refund', { paymentIntentId, ...(wanted !== undefined && { amount: wanted }) });
    if (made) this.#refunds.push(made.refund.id);
  }

  async #do(path: string, body: Record<string, unknown>): Promise<void> {
    await this.#control(path, body);
  }

  /** Undefined: there is nothing to do it with, or Stripe refuses it. */
  async #control(path: string, body: Record<string, unknown>): Promise<Data | undefined> {
    if (Object.values(body).includes(undefined)) return undefined;
    return unlessRefused(() => bench.stripe.post(path, body));
  }

  async #wire(order: number, cents: number): Promise<void> {
    const units = `${Math.floor(cents / 100)}.00`;
    const input = { purchaseOrderId: String(this.orders[order]?.id), amount: units, method: 'WIRE' };
    const { id } = await recordPayment(bench.process(), input);
    if (id) this.#wired.set(order, (this.#wired.get(order) ?? 0n) + BigInt(Math.floor(cents / 100)) * 100n);
  }

  async #sync(order: number): Promise<void> {
    const failure = await syncStripeInvoice(bench.process(), String(this.orders[order]?.invoiceId));
    expect(failure).toBeUndefined();
  }

  /** What an order must come to, by Stripe's books and what was wired, in another way than ours. */
  expected(order: number, books: Data): { balance: string; attention: string[] } {
    const invoiceId = this.orders[order]?.externalId;
    const links = books.invoicePayments.filter(({ invoice }: Data) => invoice === invoiceId);
    let received = 0n;
    let isProcessing = false;
    let isDisputed = false;
    for (const { status, amount_paid, payment } of links) {
      const intent = books.paymentIntents.find(({ id }: Data) => id === payment.payment_intent);
      if (status === 'open' && intent?.status === 'processing') isProcessing = true;
      if (status !== 'paid') continue;
      const charges = books.charges.filter(({ payment_intent }: Data) => intent && payment_intent === intent.id);
      const refunds = books.refunds.filter(
        ({ payment_intent, status: state }: Data) =>
          intent && payment_intent === intent.id && state !== 'failed' && state !== 'canceled',
      );
      const disputes = books.disputes.filter(({ charge }: Data) => charges.some(({ id }: Data) => id === charge));
      const lost = disputes.filter((dispute: Data) => dispute.status === 'lost');
      if (disputes.some((dispute: Data) => dispute.status === 'needs_response')) isDisputed = true;
      const back = [...refunds, ...lost].reduce((total, each) => total + BigInt(each.amount), 0n);
      const kept = BigInt(amount_paid) - back;
      received += kept > 0n ? kept : 0n;
    }
    const notes = books.creditNotes.filter(({ invoice, status }: Data) => invoice === invoiceId && status === 'issued');
    const sumOf = (amount: string) => notes.reduce((sum: bigint, note: Data) => sum + BigInt(note[amount] ?? 0), 0n);
    const credited = sumOf('pre_payment_amount');
    const givenBackOutside = sumOf('out_of_band_amount');
    const kept = received > givenBackOutside ? received - givenBackOutside : 0n;
    const paid = (this.#wired.get(order) ?? 0n) + kept;
    const due = TOTAL - paid - credited;
    const status = due === 0n ? 'PAID' : due < 0n ? 'OVERPAID' : paid > 0n ? 'PARTIALLY_PAID' : 'SENT';
    return {
      balance: `${status} paid ${paid} credited ${credited} due ${due}`,
      attention: [...(isProcessing ? ['PAYMENT_PROCESSING'] : []), ...(isDisputed ? ['PAYMENT_DISPUTED'] : [])],
    };
  }
}

/** Some of the events so far come in, in whatever order and some of them twice; the rest is lost for now. */
async function deliver(picks: readonly number[]): Promise<void> {
  const { data } = await bench.stripe.api('GET', '/v1/events?limit=31');
  const companyId = bench.stripeConnectionId;
  const endpoint = new StripeWebhooks({ secrets: '', companyId });
  const { clock, ids, jobs } = bench.context;
  const wake = jobs.wakeWebhookWorker;
  await Promise.all(
    picks.map(async (index) => {
      const events = endpoint.parse(Buffer.from(JSON.stringify(data[index % data.length]))) ?? [];
      await storeWebhookEvents({ em: bench.orm.em.fork(), clock, ids, wake }, 'STRIPE', events);
    }),
  );
  await processStripeEvents(bench.process(), companyId);
}

/** The next sweep is due, and what it brings is worked off. */
async function sweep(): Promise<void> {
  await bench.later(bench.context.waits.stripeSweepMs);
  expect(await dueStripeSweeps(bench.process())).toHaveLength(1);
  const report = await sweepStripeConnection(bench.process(), bench.stripeConnectionId);
  expect(report).toMatchObject({ outcome: 'done' });
  while ((await processStripeEvents(bench.process(), bench.stripeConnectionId)) > 0);
  expect(await nextDueEvent(bench.orm.em, 'STRIPE', bench.stripeConnectionId)).toBeUndefined();
}

/** Payments or credits of which two revisions stand at once: never any. */
async function standingTwice(): Promise<Data[]> {
  const standing = (table: string, reversal: string) =>
    `select provider_payment_id, provider_invoice_id from ${table} where source = 'STRIPE'
       and not exists (select from ${reversal} where ${table}_id = ${table}.id)
     group by 1, 2 having count(*) > 1`;
  return bench.sql(
    `${standing('payment', 'payment_reversal')} union all ${standing('credit_note', 'credit_note_reversal')}`,
  );
}

test('W-S16: whatever happens, and whichever events come, after a sweep the orders show what the books say', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 8, maxLength: 16 }), async (actions) => {
      const orders = [await bench.stripeInvoicedOrder(), await bench.stripeInvoicedOrder()];
      const story = new Story(orders);
      for (const next of actions) await story.play(next);
      await sweep();
      const books = await bench.stripe.books();
      for (const [index, { id }] of orders.entries()) {
        const expected = story.expected(index, books);
        expect(await balance(bench, id)).toBe(expected.balance);
        const codes = (await attention(bench, id)).map((item) => item.split(' ', 1)[0]);
        expect(codes).toEqual(expected.attention);
      }
      expect(await standingTwice()).toEqual([]);
    }),
    // A failure prints its seed and path, which fc.assert takes to repeat it.
    { numRuns: 12 },
  );
}, 180_000);
