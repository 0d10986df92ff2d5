import { type BookInvoice, isVoided } from './books.js';
import { expireTokens } from './saboteur.js';
import type { Stage } from './stage.js';

/** What may happen in a story. A step that finds nothing to act on does nothing. */
export type Step = (stage: Stage) => Promise<void>;

export const steps = {
  createOrder,
  createOrderTwice,
  markSent,
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
  cancel,
  payManually,
  payManuallyAndReverse,
  creditHere,
  sync,
  expireTokens,
  forgetRequestIds,
  workOffEvents,
  resume,
  sweep,
} as const satisfies Record<string, Step>;

export type StepName = keyof typeof steps;

function orderInput(stage: Stage) {
  const { random } = stage;
  const lines = Array.from({ length: random.between(1, 3) }, (_, index) => ({
    description: `Ticket ${index + 1}`,
    quantity: random.between(1, 3),
    unitMinor: random.between(1, 20_000),
  }));
  const organisation = random.pick(['Acme Ltd', 'Globex']);
  const input = {
    conferenceId: stage.conferenceId,
    organizationName: organisation,
    contactEmail: 'ap@example.com',
    lineItems: lines.map(({ unitMinor, ...line }) => ({ ...line, unitPrice: stage.format(unitMinor) })),
  };
  const totalMinor = lines.reduce((sum, { quantity, unitMinor }) => sum + quantity * unitMinor, 0);
  return { input, organisation, totalMinor };
}

async function createOrder(stage: Stage): Promise<void> {
  const { input, ...known } = orderInput(stage);
  const remember = (id: string) => {
    if (!stage.orders.some((order) => order.id === id)) stage.orders.push({ id, ...known, emailsAsked: 0 });
  };
  const keyed = stage.random.chance(0.8) ? { ...input, idempotencyKey: stage.newKey() } : input;
  await stage.ask(stage.api, 'createPurchaseOrder', keyed, remember);
}

/** A double click: both requests bear the same key. */
async function createOrderTwice(stage: Stage): Promise<void> {
  const { input, ...known } = orderInput(stage);
  const remember = (id: string) => {
    if (!stage.orders.some((order) => order.id === id)) stage.orders.push({ id, ...known, emailsAsked: 0 });
  };
  const keyed = { ...input, idempotencyKey: stage.newKey() };
  await Promise.all(([0, 1] as const).map((api) => stage.ask(api, 'createPurchaseOrder', keyed, remember)));
}

async function markSent(stage: Stage): Promise<void> {
  const order = stage.order();
  if (order) await stage.ask(stage.api, 'sendPurchaseOrder', { purchaseOrderId: order.id });
}

async function invoice(stage: Stage): Promise<void> {
  const order = stage.order();
  if (!order) return;
  const key = stage.random.chance(0.5) ? { idempotencyKey: stage.newKey() } : {};
  await stage.ask(stage.api, 'createQboInvoice', { purchaseOrderId: order.id, ...key });
}

async function invoiceFromBoth(stage: Stage): Promise<void> {
  const order = stage.order();
  if (!order) return;
  await Promise.all(([0, 1] as const).map((api) => stage.ask(api, 'createQboInvoice', { purchaseOrderId: order.id })));
}

async function invoiceByDoubleClick(stage: Stage): Promise<void> {
  const order = stage.order();
  if (!order) return;
  const input = { purchaseOrderId: order.id, idempotencyKey: stage.newKey() };
  await Promise.all(([0, 1] as const).map((api) => stage.ask(api, 'createQboInvoice', input)));
}

async function email(stage: Stage): Promise<void> {
  const order = stage.order();
  if (!order) return;
  order.emailsAsked += 1;
  const address = stage.random.chance(0.2) ? { email: 'cfo@example.com' } : {};
  await stage.ask(stage.api, 'sendQboInvoice', { purchaseOrderId: order.id, ...address });
}

async function pay(stage: Stage, amountOf: (invoice: BookInvoice) => string): Promise<void> {
  const owed = await stage.openInvoice();
  if (!owed) return;
  const reference = stage.random.chance(0.5) ? { paymentRefNum: `CHQ-${stage.random.between(1, 999)}` } : {};
  const paid = { invoiceId: owed.Id, amount: amountOf(owed), paidOn: stage.day(), ...reference };
  await stage.keepBooks('/pay', paid);
}

function payPart(stage: Stage): Promise<void> {
  return pay(stage, ({ Balance }) => stage.amountUpTo(Balance));
}

function payFully(stage: Stage): Promise<void> {
  return pay(stage, ({ Balance }) => Balance);
}

/** What is above the balance stays unapplied in QuickBooks. */
function payTooMuch(stage: Stage): Promise<void> {
  return pay(stage, ({ Balance }) =>
    stage.format(Math.round(Number(Balance) * (stage.currency === 'JPY' ? 1 : 100)) + 17),
  );
}

/** One cheque for several invoices of one customer. */
async function paySeveral(stage: Stage): Promise<void> {
  const { invoices } = await stage.books();
  const owed = invoices.filter(({ Balance }) => Number(Balance) > 0);
  const [first] = owed;
  if (!first) return;
  const together = owed.filter(({ CustomerRef }) => CustomerRef.value === first.CustomerRef.value);
  const lines = together.map(({ Id, Balance }) => ({ invoiceId: Id, amount: stage.amountUpTo(Balance) }));
  await stage.keepBooks('/pay', { lines, paidOn: stage.day() });
}

async function editPaymentAmount(stage: Stage): Promise<void> {
  const payment = await stage.payment();
  if (!payment) return;
  const amount = stage.amountUpTo(Number(payment.TotalAmt) * 1.5);
  await stage.keepBooks('/edit-payment', { paymentId: payment.Id, amount });
}

async function editPaymentDay(stage: Stage): Promise<void> {
  const payment = await stage.payment();
  if (!payment) return;
  const reference = stage.random.chance(0.5) ? { paymentRefNum: `CHQ-${stage.random.between(1, 999)}` } : {};
  await stage.keepBooks('/edit-payment', { paymentId: payment.Id, paidOn: stage.day(), ...reference });
}

async function voidPayment(stage: Stage): Promise<void> {
  const payment = await stage.payment();
  if (payment) await stage.keepBooks('/void-payment', { paymentId: payment.Id });
}

async function deletePayment(stage: Stage): Promise<void> {
  const payment = await stage.payment();
  if (payment) await stage.keepBooks('/delete-payment', { paymentId: payment.Id });
}

/** The money stays on the payment and pays nothing any more. */
async function unapplyPayment(stage: Stage): Promise<void> {
  const payment = await stage.payment();
  if (payment) await stage.keepBooks('/unapply-payment', { paymentId: payment.Id });
}

async function movePayment(stage: Stage): Promise<void> {
  const [payment, owed] = [await stage.payment(), await stage.openInvoice()];
  if (payment && owed) await stage.keepBooks('/move-payment', { paymentId: payment.Id, toInvoiceId: owed.Id });
}

/** It is final then: what would change it later is refused. */
async function depositPayment(stage: Stage): Promise<void> {
  const payment = await stage.payment();
  if (payment) await stage.keepBooks('/deposit-payment', { paymentId: payment.Id });
}

/** Entered on the invoice itself: it lowers the balance, and no payment says so. */
async function takeDeposit(stage: Stage): Promise<void> {
  const owed = await stage.openInvoice();
  if (owed) await stage.keepBooks('/edit-invoice', { invoiceId: owed.Id, Deposit: stage.amountUpTo(owed.Balance) });
}

/** The bookkeeper names the order, or not. */
async function refund(stage: Stage): Promise<void> {
  const live = await stage.liveInvoice();
  if (!live) return;
  const note = stage.random.chance(0.7) ? { note: `Given back for ${live.PrivateNote}` } : {};
  const amount = stage.amountUpTo(live.TotalAmt);
  await stage.keepBooks('/refund-receipt', { invoiceId: live.Id, amount, txnDate: stage.day(), ...note });
}

async function grantCredit(stage: Stage): Promise<void> {
  const owed = await stage.openInvoice();
  if (owed) await stage.keepBooks('/credit-memo', { invoiceId: owed.Id, amount: stage.amountUpTo(owed.Balance) });
}

/** Before one of two is gone. */
async function lookForDuplicates(stage: Stage): Promise<void> {
  const live = (await stage.books()).invoices.filter((each) => !isVoided(each));
  const byOrder = Map.groupBy(live, ({ PrivateNote }) => /PO-\w+/.exec(PrivateNote ?? '')?.[0] ?? 'no order');
  for (const [order, same] of byOrder) {
    const what = `${order} had ${same.length} live invoices`;
    if (same.length > 1) stage.findings.push({ kind: 'duplicate', what });
  }
}

async function voidInvoice(stage: Stage): Promise<void> {
  await lookForDuplicates(stage);
  const live = await stage.liveInvoice();
  if (live) await stage.keepBooks('/void-invoice', { invoiceId: live.Id });
}

async function deleteInvoice(stage: Stage): Promise<void> {
  await lookForDuplicates(stage);
  const live = await stage.liveInvoice();
  if (live) await stage.keepBooks('/delete-invoice', { invoiceId: live.Id });
}

async function editInvoice(stage: Stage): Promise<void> {
  const live = await stage.liveInvoice();
  if (live) await stage.keepBooks('/edit-invoice', { invoiceId: live.Id, CustomerMemo: { value: 'Thank you.' } });
}

/** Another amount than was ordered, in a single line. */
async function rewriteInvoice(stage: Stage): Promise<void> {
  const live = await stage.liveInvoice();
  if (!live) return;
  stage.rewritten.add(live.Id);
  const Amount = Number(stage.amountUpTo(Number(live.TotalAmt) * 1.5));
  const SalesItemLineDetail = { ItemRef: { value: '1' }, TaxCodeRef: { value: 'NON' } };
  const Line = [{ Amount, DetailType: 'SalesItemLineDetail', SalesItemLineDetail }];
  await stage.keepBooks('/edit-invoice', { invoiceId: live.Id, Line });
}

async function cancel(stage: Stage): Promise<void> {
  const order = stage.order();
  if (order) await stage.ask(stage.api, 'cancelPurchaseOrder', { purchaseOrderId: order.id });
}

async function recordManually(stage: Stage): Promise<string | undefined> {
  const order = stage.order();
  if (!order) return undefined;
  let paymentId: string | undefined;
  const amount = stage.format(stage.random.between(1, order.totalMinor));
  const input = { purchaseOrderId: order.id, amount, method: 'WIRE', reference: 'W', idempotencyKey: stage.newKey() };
  await stage.ask(stage.api, 'recordPayment', input, (id) => {
    paymentId = id;
  });
  return paymentId;
}

async function payManually(stage: Stage): Promise<void> {
  await recordManually(stage);
}

async function payManuallyAndReverse(stage: Stage): Promise<void> {
  const paymentId = await recordManually(stage);
  if (paymentId !== undefined) await stage.ask(stage.api, 'reversePayment', { paymentId, reason: 'bounced' });
}

async function creditHere(stage: Stage): Promise<void> {
  const order = stage.order();
  if (!order) return;
  const amount = stage.format(stage.random.between(1, order.totalMinor));
  const input = { purchaseOrderId: order.id, amount, reason: 'goodwill', idempotencyKey: stage.newKey() };
  await stage.ask(stage.api, 'issueCreditNote', input);
}

async function sync(stage: Stage): Promise<void> {
  const order = stage.order();
  if (order) await stage.ask(stage.api, 'syncQboInvoiceStatus', { purchaseOrderId: order.id });
}

/** Nobody knows how long QuickBooks remembers them; surely for longer than the app relies on. */
async function forgetRequestIds(stage: Stage): Promise<void> {
  await stage.system.advance(17 * 60_000);
  await stage.system.control('POST', '/forget-requestids', { realmId: stage.realmId });
}

/** Whatever a dead process left behind is taken over, within the time in which it may be sent again or after it. */
async function resume(stage: Stage): Promise<void> {
  await stage.system.advance(stage.random.pick([200_000, 31 * 60_000]));
  await stage.system.work(stage.worker, 'resumeOperations', stage.realmId);
}

async function workOffEvents(stage: Stage): Promise<void> {
  const { system, realmId } = stage;
  await system.control('POST', '/webhooks/flush', { realmId });
  await system.advance(10_000);
  await system.work(stage.worker, 'processQboEvents', realmId);
}

/** Companies whose webhooks are missing are swept every quarter of an hour, others once a day. */
async function sweep(stage: Stage): Promise<void> {
  await stage.system.advance(stage.random.pick([16 * 60_000, 25 * 3_600_000]));
  await stage.system.work(stage.worker, 'sweepQboConnection', stage.realmId);
}
