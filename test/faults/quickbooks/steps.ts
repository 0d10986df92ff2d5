import { commonSteps, type Step } from '../steps.js';
import { type BookInvoice, isVoided } from './books.js';
import type { QuickBooksStage } from './quickbooks-stage.js';
import { expireTokens } from './saboteur.js';

/** What clients, bookkeepers and workers may do in a story of QuickBooks. */
export const steps = {
  ...commonSteps,
  invoice,
  invoiceFromBoth,
  invoiceByDoubleClick,
  email,
  payPart,
  payFully,
  payTooMuch,
  paySeveral,
  editPaymentAmount,
  editPaymentDay,
  voidPayment,
  deletePayment,
  unapplyPayment,
  movePayment,
  depositPayment,
  takeDeposit,
  refund,
  grantCredit,
  voidInvoice,
  deleteInvoice,
  editInvoice,
  rewriteInvoice,
  sync,
  expireTokens,
  forgetRequestIds,
  workOffEvents,
  sweep,
} as const satisfies Record<string, Step<QuickBooksStage>>;

export type StepName = keyof typeof steps;

async function invoice(stage: QuickBooksStage): Promise<void> {
  const order = stage.order();
  if (!order) return;
  const key = stage.random.chance(0.5) ? { idempotencyKey: stage.newKey() } : {};
  await stage.ask(stage.api, 'createQboInvoice', { purchaseOrderId: order.id, ...key });
}

async function invoiceFromBoth(stage: QuickBooksStage): Promise<void> {
  const order = stage.order();
  if (!order) return;
  await Promise.all(([0, 1] as const).map((api) => stage.ask(api, 'createQboInvoice', { purchaseOrderId: order.id })));
}

async function invoiceByDoubleClick(stage: QuickBooksStage): Promise<void> {
  const order = stage.order();
  if (!order) return;
  const input = { purchaseOrderId: order.id, idempotencyKey: stage.newKey() };
  await Promise.all(([0, 1] as const).map((api) => stage.ask(api, 'createQboInvoice', input)));
}

async function email(stage: QuickBooksStage): Promise<void> {
  const order = stage.order();
  if (!order) return;
  const address = stage.random.chance(0.2) ? { email: 'cfo@example.com' } : {};
  await stage.ask(stage.api, 'sendQboInvoice', { purchaseOrderId: order.id, ...address });
}

async function pay(stage: QuickBooksStage, amountOf: (invoice: BookInvoice) => string): Promise<void> {
  const owed = await stage.openInvoice();
  if (!owed) return;
  const reference = stage.random.chance(0.5) ? { paymentRefNum: `CHQ-${stage.random.between(1, 999)}` } : {};
  const paid = { invoiceId: owed.Id, amount: amountOf(owed), paidOn: stage.day(), ...reference };
  await stage.keepBooks('/pay', paid);
}

function payPart(stage: QuickBooksStage): Promise<void> {
  return pay(stage, ({ Balance }) => stage.amountUpTo(Balance));
}

function payFully(stage: QuickBooksStage): Promise<void> {
  return pay(stage, ({ Balance }) => Balance);
}

/** What is above the balance stays unapplied in QuickBooks. */
function payTooMuch(stage: QuickBooksStage): Promise<void> {
  return pay(stage, ({ Balance }) =>
    stage.format(Math.round(Number(Balance) * (stage.currency === 'JPY' ? 1 : 100)) + 17),
  );
}

/** One cheque for several invoices of one customer. */
async function paySeveral(stage: QuickBooksStage): Promise<void> {
  const { invoices } = await stage.books();
  const owed = invoices.filter(({ Balance }) => Number(Balance) > 0);
  const [first] = owed;
  if (!first) return;
  const together = owed.filter(({ CustomerRef }) => CustomerRef.value === first.CustomerRef.value);
  const lines = together.map(({ Id, Balance }) => ({ invoiceId: Id, amount: stage.amountUpTo(Balance) }));
  await stage.keepBooks('/pay', { lines, paidOn: stage.day() });
}

async function editPaymentAmount(stage: QuickBooksStage): Promise<void> {
  const payment = await stage.payment();
  if (!payment) return;
  const amount = stage.amountUpTo(Number(payment.TotalAmt) * 1.5);
  await stage.keepBooks('/edit-payment', { paymentId: payment.Id, amount });
}

async function editPaymentDay(stage: QuickBooksStage): Promise<void> {
  const payment = await stage.payment();
  if (!payment) return;
  const reference = stage.random.chance(0.5) ? { paymentRefNum: `CHQ-${stage.random.between(1, 999)}` } : {};
  await stage.keepBooks('/edit-payment', { paymentId: payment.Id, paidOn: stage.day(), ...reference });
}

async function voidPayment(stage: QuickBooksStage): Promise<void> {
  const payment = await stage.payment();
  if (payment) await stage.keepBooks('/void-payment', { paymentId: payment.Id });
}

async function deletePayment(stage: QuickBooksStage): Promise<void> {
  const payment = await stage.payment();
  if (payment) await stage.keepBooks('/delete-payment', { paymentId: payment.Id });
}

/** The money stays on the payment and pays nothing any more. */
async function unapplyPayment(stage: QuickBooksStage): Promise<void> {
  const payment = await stage.payment();
  if (payment) await stage.keepBooks('/unapply-payment', { paymentId: payment.Id });
}

async function movePayment(stage: QuickBooksStage): Promise<void> {
  const [payment, owed] = [await stage.payment(), await stage.openInvoice()];
  if (payment && owed) await stage.keepBooks('/move-payment', { paymentId: payment.Id, toInvoiceId: owed.Id });
}

/** It is final then: what would change it later is refused. */
async function depositPayment(stage: QuickBooksStage): Promise<void> {
  const payment = await stage.payment();
  if (payment) await stage.keepBooks('/deposit-payment', { paymentId: payment.Id });
}

/** Entered on the invoice itself: it lowers the balance, and no payment says so. */
async function takeDeposit(stage: QuickBooksStage): Promise<void> {
  const owed = await stage.openInvoice();
  if (owed) await stage.keepBooks('/edit-invoice', { invoiceId: owed.Id, Deposit: stage.amountUpTo(owed.Balance) });
}

/** The bookkeeper names the order, or not. */
async function refund(stage: QuickBooksStage): Promise<void> {
  const live = await stage.liveInvoice();
  if (!live) return;
  const note = stage.random.chance(0.7) ? { note: `Given back for ${live.PrivateNote}` } : {};
  const amount = stage.amountUpTo(live.TotalAmt);
  await stage.keepBooks('/refund-receipt', { invoiceId: live.Id, amount, txnDate: stage.day(), ...note });
}

async function grantCredit(stage: QuickBooksStage): Promise<void> {
  const owed = await stage.openInvoice();
  if (owed) await stage.keepBooks('/credit-memo', { invoiceId: owed.Id, amount: stage.amountUpTo(owed.Balance) });
}

/** Before one of two is gone. */
async function lookForDuplicates(stage: QuickBooksStage): Promise<void> {
  const live = (await stage.books()).invoices.filter((each) => !isVoided(each));
  const byOrder = Map.groupBy(live, ({ PrivateNote }) => /PO-\w+/.exec(PrivateNote ?? '')?.[0] ?? 'no order');
  for (const [order, same] of byOrder) {
    const what = `${order} had ${same.length} live invoices`;
    if (same.length > 1) stage.findings.push({ kind: 'duplicate', what });
  }
}

async function voidInvoice(stage: QuickBooksStage): Promise<void> {
  await lookForDuplicates(stage);
  const live = await stage.liveInvoice();
  if (live) await stage.keepBooks('/void-invoice', { invoiceId: live.Id });
}

async function deleteInvoice(stage: QuickBooksStage): Promise<void> {
  await lookForDuplicates(stage);
  const live = await stage.liveInvoice();
  if (live) await stage.keepBooks('/delete-invoice', { invoiceId: live.Id });
}

async function editInvoice(stage: QuickBooksStage): Promise<void> {
  const live = await stage.liveInvoice();
  if (live) await stage.keepBooks('/edit-invoice', { invoiceId: live.Id, CustomerMemo: { value: 'Thank you.' } });
}

/** Another amount than was ordered, in a single line. */
async function rewriteInvoice(stage: QuickBooksStage): Promise<void> {
  const live = await stage.liveInvoice();
  if (!live) return;
  stage.rewritten.add(live.Id);
  const Amount = Number(stage.amountUpTo(Number(live.TotalAmt) * 1.5));
  const SalesItemLineDetail = { ItemRef: { value: '1' }, TaxCodeRef: { value: 'NON' } };
  const Line = [{ Amount, DetailType: 'SalesItemLineDetail', SalesItemLineDetail }];
  await stage.keepBooks('/edit-invoice', { invoiceId: live.Id, Line });
}

async function sync(stage: QuickBooksStage): Promise<void> {
  const order = stage.order();
  if (order) await stage.ask(stage.api, 'syncQboInvoiceStatus', { purchaseOrderId: order.id });
}

/** Nobody knows how long QuickBooks remembers them; surely for longer than the app relies on. */
async function forgetRequestIds(stage: QuickBooksStage): Promise<void> {
  await stage.system.advance(17 * 60_000);
  await stage.system.quickbooks.call('POST', '/forget-requestids', { realmId: stage.realmId });
}

async function workOffEvents(stage: QuickBooksStage): Promise<void> {
  await stage.flushWebhooks();
  await stage.system.advance(10_000);
  await stage.work(stage.worker, 'processQboEvents');
}

/** Companies whose webhooks are missing are swept every quarter of an hour, others once a day. */
async function sweep(stage: QuickBooksStage): Promise<void> {
  await stage.system.advance(stage.random.pick([16 * 60_000, 25 * 3_600_000]));
  await stage.work(stage.worker, 'sweepQboConnection');
}
