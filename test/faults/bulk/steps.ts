import { steps as stepsOfQuickBooks } from '../quickbooks/steps.js';
import type { Step } from '../steps.js';
import type { BulkStage } from './bulk-stage.js';

/** Besides what may happen in QuickBooks anyway. */
export const steps = {
  ...stepsOfQuickBooks,
  createOrders,
  invoiceAll,
  invoiceSome,
  invoiceAllTwice,
  invoiceOverlapping,
  workOff,
  workOffFromBoth,
  workOffWhileInvoicing,
  workOffWhileCancelling,
  workOffWhileResuming,
} as const satisfies Record<string, Step<BulkStage>>;

export type StepName = keyof typeof steps;

/** More would make a story long and tell nothing more. */
const MAX_ORDERS = 7;

async function createOrders(stage: BulkStage): Promise<void> {
  const count = stage.random.between(1, 3);
  for (let index = 0; index < count && stage.orders.length < MAX_ORDERS; index++)
    await stepsOfQuickBooks.createOrder(stage);
}

async function begin(stage: BulkStage, api: 0 | 1, purchaseOrderIds: readonly string[], key?: string): Promise<void> {
  if (purchaseOrderIds.length === 0) return;
  const idempotencyKey = key ?? stage.newKey();
  await stage.ask(api, 'createQboInvoices', { purchaseOrderIds: [...purchaseOrderIds], idempotencyKey });
}

function allOrders(stage: BulkStage): string[] {
  return stage.orders.map(({ id }) => id);
}

function someOrders(stage: BulkStage): string[] {
  return allOrders(stage).filter(() => stage.random.chance(0.6));
}

async function invoiceAll(stage: BulkStage): Promise<void> {
  await begin(stage, stage.api, allOrders(stage));
  if (stage.random.chance(0.8)) await workOff(stage);
}

async function invoiceSome(stage: BulkStage): Promise<void> {
  await begin(stage, stage.api, someOrders(stage));
  if (stage.random.chance(0.8)) await workOff(stage);
}

/** A double click: both requests bear the same key. */
async function invoiceAllTwice(stage: BulkStage): Promise<void> {
  const key = stage.newKey();
  const orders = allOrders(stage);
  await Promise.all(([0, 1] as const).map((api) => begin(stage, api, orders, key)));
  await workOff(stage);
}

/** Two people ask for the same orders in requests of their own. */
async function invoiceOverlapping(stage: BulkStage): Promise<void> {
  const [some, others] = [allOrders(stage), someOrders(stage)];
  await Promise.all([begin(stage, 0, some), begin(stage, 1, others)]);
  await workOffFromBoth(stage);
}

async function workOff(stage: BulkStage): Promise<void> {
  await stage.work(stage.worker, 'workOffBulkInvoicing');
}

/** As after the session that holds a bulk's lock was cut. */
async function workOffFromBoth(stage: BulkStage): Promise<void> {
  await Promise.all(([0, 1] as const).map((worker) => stage.work(worker, 'workOffBulkInvoicing')));
}

async function workOffWhileInvoicing(stage: BulkStage): Promise<void> {
  await begin(stage, stage.api, allOrders(stage));
  await Promise.all([workOff(stage), stepsOfQuickBooks.invoice(stage), stepsOfQuickBooks.invoice(stage)]);
}

async function workOffWhileCancelling(stage: BulkStage): Promise<void> {
  await begin(stage, stage.api, allOrders(stage));
  await Promise.all([workOff(stage), stepsOfQuickBooks.cancel(stage)]);
}

/** Whatever was left behind is gone on with at the same time. */
async function workOffWhileResuming(stage: BulkStage): Promise<void> {
  await stage.system.advance(stage.random.pick([200_000, 31 * 60_000]));
  await Promise.all([stage.work(0, 'workOffBulkInvoicing'), stage.work(1, 'resumeOperations')]);
}
