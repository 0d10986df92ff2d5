import type { Stage } from './stage.js';

/** What may happen in a story. A step that finds nothing to act on does nothing. */
export type Step<S extends Stage = Stage> = (stage: S) => Promise<void>;

/** Of every story, whichever provider it is about. */
export const commonSteps = {
  createOrder,
  createOrderTwice,
  markSent,
  cancel,
  payManually,
  payManuallyAndReverse,
  creditHere,
  resume,
} as const satisfies Record<string, Step>;

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
    if (!stage.orders.some((order) => order.id === id)) stage.orders.push({ id, ...known });
  };
  const keyed = stage.random.chance(0.8) ? { ...input, idempotencyKey: stage.newKey() } : input;
  await stage.ask(stage.api, 'createPurchaseOrder', keyed, remember);
}

/** A double click: both requests bear the same key. */
async function createOrderTwice(stage: Stage): Promise<void> {
  const { input, ...known } = orderInput(stage);
  const remember = (id: string) => {
    if (!stage.orders.some((order) => order.id === id)) stage.orders.push({ id, ...known });
  };
  const keyed = { ...input, idempotencyKey: stage.newKey() };
  await Promise.all(([0, 1] as const).map((api) => stage.ask(api, 'createPurchaseOrder', keyed, remember)));
}

async function markSent(stage: Stage): Promise<void> {
  const order = stage.order();
  if (order) await stage.ask(stage.api, 'sendPurchaseOrder', { purchaseOrderId: order.id });
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

/** Whatever a dead process left behind is taken over, within the time in which it may be sent again or after it. */
async function resume(stage: Stage): Promise<void> {
  await stage.system.advance(stage.random.pick([200_000, 31 * 60_000]));
  await stage.work(stage.worker, 'resumeOperations');
}
