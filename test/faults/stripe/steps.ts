import { steps as quickBooksSteps } from '../quickbooks/steps.js';
import { commonSteps, type Step } from '../steps.js';
import { isLive, type StripeInvoice } from './books.js';
import type { StripeStage } from './stripe-stage.js';

/** What clients, buyers, banks, people and workers may do in a story of Stripe. */
export const steps = {
  ...commonSteps,
  invoice,
  invoiceFromBoth,
  invoiceByDoubleClick,
  invoiceInQuickBooks: quickBooksSteps.invoice,
  invoiceAtBoth,
  email,
  payPart,
  payFully,
  payByBank,
  settleDebit,
  returnDebit,
  payOutOfBand,
  refund,
  refundFully,
  failRefund,
  dispute,
  winDispute,
  loseDispute,
  grantCredit,
  creditPaid,
  voidCredit,
  voidInvoice,
  markUncollectible,
  deleteDraft,
  switchToStripe,
  switchToQuickBooks,
  switchFromBoth,
  switchThereAndBack,
  payWhileSwitching,
  payWhileCancelling,
  payWhileReading,
  loseAnswer,
  payInQuickBooks: quickBooksSteps.payPart,
  syncQuickBooks: quickBooksSteps.sync,
  sync,
  reconnect,
  forgetKeys,
  workOffEvents,
  sweep,
} as const satisfies Record<string, Step<StripeStage>>;

export type StepName = keyof typeof steps;

async function invoice(stage: StripeStage): Promise<void> {
  const order = stage.order();
  if (!order) return;
  const key = stage.random.chance(0.5) ? { idempotencyKey: stage.newKey() } : {};
  await stage.ask(stage.api, 'createStripeInvoice', { purchaseOrderId: order.id, ...key });
}

async function invoiceFromBoth(stage: StripeStage): Promise<void> {
  const order = stage.order();
  if (!order) return;
  await onBoth((api) => stage.ask(api, 'createStripeInvoice', { purchaseOrderId: order.id }));
}

async function invoiceByDoubleClick(stage: StripeStage): Promise<void> {
  const order = stage.order();
  if (!order) return;
  const input = { purchaseOrderId: order.id, idempotencyKey: stage.newKey() };
  await onBoth((api) => stage.ask(api, 'createStripeInvoice', input));
}

/** Two people who do not know of each other. */
async function invoiceAtBoth(stage: StripeStage): Promise<void> {
  const order = stage.order();
  if (!order) return;
  const input = { purchaseOrderId: order.id };
  await Promise.all([stage.ask(0, 'createStripeInvoice', input), stage.ask(1, 'createQboInvoice', input)]);
}

async function onBoth(act: (api: 0 | 1) => Promise<void>): Promise<void> {
  await Promise.all(([0, 1] as const).map(act));
}

async function email(stage: StripeStage): Promise<void> {
  const order = stage.order();
  if (order) await stage.ask(stage.api, 'sendStripeInvoice', { purchaseOrderId: order.id });
}

async function pay(stage: StripeStage, payment: (invoice: StripeInvoice) => object): Promise<void> {
  const owed = await stage.openStripeInvoice();
  if (owed) await stage.actInStripe('/pay', { invoiceId: owed.id, method: 'card', ...payment(owed) });
}

function partOf(stage: StripeStage, units: number): number {
  return stage.random.between(1, Math.max(1, units));
}

function payPart(stage: StripeStage): Promise<void> {
  return pay(stage, ({ amount_remaining }) => ({ amount: partOf(stage, amount_remaining) }));
}

function payFully(stage: StripeStage): Promise<void> {
  return pay(stage, () => ({}));
}

/** The debit takes days. */
function payByBank(stage: StripeStage): Promise<void> {
  const isPart = stage.random.chance(0.3);
  return pay(stage, ({ amount_remaining }) => ({
    method: 'ach',
    ...(isPart && { amount: partOf(stage, amount_remaining) }),
  }));
}

async function endDebit(stage: StripeStage, outcome: 'succeeded' | 'failed'): Promise<void> {
  const debit = await findOrMake(stage, () => stage.debit(), payByBank);
  if (debit) await stage.actInStripe('/settle-payment', { paymentIntentId: debit.payment.payment_intent, outcome });
}

/** So that a step mostly has something to act on. What was made may have been noticed here meanwhile, or not. */
async function findOrMake<T>(
  stage: StripeStage,
  find: () => Promise<T | undefined>,
  make: Step<StripeStage>,
): Promise<T | undefined> {
  const found = await find();
  if (found) return found;
  await make(stage);
  if (stage.random.chance(0.5)) await workOffEvents(stage);
  return find();
}

function findCharge(stage: StripeStage) {
  const pay = stage.random.chance(0.5) ? payPart : payFully;
  return findOrMake(stage, () => stage.charge(), pay);
}

function settleDebit(stage: StripeStage): Promise<void> {
  return endDebit(stage, 'succeeded');
}

function returnDebit(stage: StripeStage): Promise<void> {
  return endDebit(stage, 'failed');
}

async function payOutOfBand(stage: StripeStage): Promise<void> {
  const owed = await stage.openStripeInvoice();
  if (owed) await stage.actInStripe('/pay-out-of-band', { invoiceId: owed.id });
}

async function refund(stage: StripeStage): Promise<void> {
  const charge = await findCharge(stage);
  if (!charge) return;
  const amount = partOf(stage, charge.amount - charge.amount_refunded);
  await stage.actInStripe('/refund', { paymentIntentId: charge.payment_intent, amount });
}

async function refundFully(stage: StripeStage): Promise<void> {
  const charge = await findCharge(stage);
  if (charge) await stage.actInStripe('/refund', { paymentIntentId: charge.payment_intent });
}

/** The bank sends it back: the money is here again. */
async function failRefund(stage: StripeStage): Promise<void> {
  const sent = await findOrMake(stage, () => stage.sentRefund(), refund);
  if (sent) await stage.actInStripe('/fail-refund', { refundId: sent.id });
}

async function dispute(stage: StripeStage): Promise<void> {
  const charge = await findCharge(stage);
  if (!charge) return;
  const isPart = stage.random.chance(0.3);
  const amount = isPart ? { amount: partOf(stage, charge.amount - charge.amount_refunded) } : {};
  await stage.actInStripe('/dispute', { paymentIntentId: charge.payment_intent, ...amount });
}

async function closeDispute(stage: StripeStage, outcome: 'won' | 'lost'): Promise<void> {
  const open = await findOrMake(stage, () => stage.openDispute(), dispute);
  if (open) await stage.actInStripe('/close-dispute', { disputeId: open.id, outcome });
}

function winDispute(stage: StripeStage): Promise<void> {
  return closeDispute(stage, 'won');
}

function loseDispute(stage: StripeStage): Promise<void> {
  return closeDispute(stage, 'lost');
}

async function grantCredit(stage: StripeStage): Promise<void> {
  const owed = await stage.openStripeInvoice();
  if (owed) {
    await stage.actInStripe('/credit-note', { invoiceId: owed.id, amount: partOf(stage, owed.amount_remaining) });
  }
}

/** What was paid of it already is given back in one way or another. */
async function creditPaid(stage: StripeStage): Promise<void> {
  const live = await stage.liveStripeInvoice();
  if (!live) return;
  const paidPart = stage.random.pick(['refund', 'credit', 'out_of_band']);
  await stage.actInStripe('/credit-note', { invoiceId: live.id, amount: partOf(stage, live.total), paidPart });
}

async function voidCredit(stage: StripeStage): Promise<void> {
  const issued = await findOrMake(stage, () => stage.creditNote(), grantCredit);
  if (issued) await stage.actInStripe('/void-credit-note', { creditNoteId: issued.id });
}

/** Before one of two is gone. */
async function lookForDuplicates(stage: StripeStage): Promise<void> {
  const live = (await stage.stripeBooks()).invoices.filter(isLive);
  const byOrder = Map.groupBy(live, ({ metadata }) => metadata.purchase_order_ref ?? 'no order');
  for (const [order, same] of byOrder) {
    const what = `${order} had ${same.length} live invoices in Stripe`;
    if (same.length > 1) stage.findings.push({ kind: 'duplicate', what });
  }
}

async function voidInvoice(stage: StripeStage): Promise<void> {
  await lookForDuplicates(stage);
  const open = await stage.openStripeInvoice();
  if (open) await stage.actInStripe('/void-invoice', { invoiceId: open.id });
}

async function markUncollectible(stage: StripeStage): Promise<void> {
  const open = await stage.openStripeInvoice();
  if (open) await stage.actInStripe('/mark-uncollectible', { invoiceId: open.id });
}

/** What a dead process left behind looks useless to a person. */
async function deleteDraft(stage: StripeStage): Promise<void> {
  const draft = await stage.draft();
  if (draft) await stage.actInStripe('/delete-draft', { invoiceId: draft.id });
}

async function switchTo(stage: StripeStage, provider: 'STRIPE' | 'QBO', orderId = stage.order()?.id): Promise<void> {
  if (orderId === undefined) return;
  await stage.ask(stage.api, 'switchInvoiceProvider', { purchaseOrderId: orderId, provider });
}

function switchToStripe(stage: StripeStage): Promise<void> {
  return switchTo(stage, 'STRIPE');
}

function switchToQuickBooks(stage: StripeStage): Promise<void> {
  return switchTo(stage, 'QBO');
}

async function switchFromBoth(stage: StripeStage): Promise<void> {
  const order = stage.order();
  if (!order) return;
  const provider = stage.random.pick(['STRIPE', 'QBO'] as const);
  await onBoth((api) => stage.ask(api, 'switchInvoiceProvider', { purchaseOrderId: order.id, provider }));
}

async function switchThereAndBack(stage: StripeStage): Promise<void> {
  const order = stage.order();
  if (!order) return;
  await switchTo(stage, 'QBO', order.id);
  await switchTo(stage, 'STRIPE', order.id);
}

/** Stripe has no version that would tell that money came in between. */
async function payWhileSwitching(stage: StripeStage): Promise<void> {
  await Promise.all([switchToQuickBooks(stage), payPart(stage)]);
}

async function payWhileCancelling(stage: StripeStage): Promise<void> {
  await Promise.all([commonSteps.cancel(stage), payFully(stage)]);
}

async function sync(stage: StripeStage): Promise<void> {
  const order = stage.order();
  if (order) await stage.ask(stage.api, 'syncStripeInvoiceStatus', { purchaseOrderId: order.id });
}

/** Readings of both APIs and a worker meet a payment. */
async function payWhileReading(stage: StripeStage): Promise<void> {
  const order = stage.order();
  if (!order) return;
  const read = onBoth((api) => stage.ask(api, 'syncStripeInvoiceStatus', { purchaseOrderId: order.id }));
  await Promise.all([read, payPart(stage), stage.work(0, 'processStripeEvents')]);
}

/** More often than the adapter repeats a request. */
const UNANSWERED_TIMES = 3;

/** What Stripe did is never answered, and nobody looks before its idempotency keys are not relied on any more. */
async function loseAnswer(stage: StripeStage): Promise<void> {
  const { system, random, accountId } = stage;
  const [path, act] = random.pick([
    ['/v1/invoices', invoice],
    ['/v1/invoiceitems', invoice],
    ['/finalize', invoice],
    ['/finalize', switchToStripe],
    ['/void', switchToQuickBooks],
    ['/void', commonSteps.cancel],
    ['/send', email],
  ] as const);
  const answer = { kind: 'reset', when: 'after', times: UNANSWERED_TIMES };
  await system.stripe.call('POST', '/faults', { match: { accountId, path, method: 'POST' }, ...answer });
  await act(stage);
  if (random.chance(0.7)) await forgetKeys(stage);
}

/** A person enters the key again, or the new one. */
function reconnect(stage: StripeStage): Promise<void> {
  return stage.connectStripe();
}

/** Stripe keeps them for a day at least, which is longer than the app relies on. */
async function forgetKeys(stage: StripeStage): Promise<void> {
  await stage.system.advance(17 * 60_000);
  await stage.system.stripe.call('POST', '/forget-idempotency-keys', { accountId: stage.accountId });
}

async function workOffEvents(stage: StripeStage): Promise<void> {
  await stage.flushWebhooks();
  await stage.system.advance(10_000);
  await stage.work(stage.worker, 'processStripeEvents');
}

async function sweep(stage: StripeStage): Promise<void> {
  await stage.system.advance(stage.random.pick([16 * 60_000, 25 * 3_600_000]));
  await stage.work(stage.worker, 'sweepStripeConnection');
}
