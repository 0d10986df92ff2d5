import type { FilterQuery } from '@mikro-orm/core';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { OperationKind, ProviderOperation, VoidPurpose } from '../../domain/operation/provider-operation.entity.js';
import { QboConnectionStatus } from '../../domain/quickbooks/qbo-connection.entity.js';
import { StripeConnectionStatus } from '../../domain/stripe/stripe-connection.entity.js';
import { resumeEnvelope } from '../bulk-invoicing/resume-envelope.js';
import { asProvider, asRequester } from '../context.js';
import { isStillOpen, OPEN_STATES } from '../operations/provider-operations.js';
import { cancelPurchaseOrder } from '../purchase-orders/cancel-purchase-order.js';
import { lockExistingPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { createQboInvoice } from '../quickbooks/create-qbo-invoice.js';
import { resumeCustomer } from '../quickbooks/resume-customer.js';
import { resumeEmail } from '../quickbooks/settle-email.js';
import { createStripeInvoice } from '../stripe/create-stripe-invoice.js';
import { resumeStripeEmail } from '../stripe/settle-stripe-email.js';
import { inTransaction } from '../transaction.js';
import { closeVoids } from './close-voids.js';
import type { InvoicingContext } from './invoicing-context.js';
import { targetOf } from './open-switch.js';
import { switchInvoiceProvider } from './switch-invoice-provider.js';

/** More would keep one run busy for minutes when a provider is slow; the next run takes the rest. */
const BATCH = 20;

/**
 * Goes on with operations whose process died or whose answer was lost, until their outcome is known. One that throws does
 * not keep the others waiting. Returns how many it looked at.
 */
export async function resumeOperations(context: InvoicingContext): Promise<number> {
  const errors: unknown[] = [];
  const { CREATE_CUSTOMER, ...others } = OperationKind;
  let count = await resumeAll(context, Object.values(others), errors);
  // An invoice that goes on settles its customer, too: these are the customers that are left.
  count += await resumeAll(context, [CREATE_CUSTOMER], errors);
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} operations could not be resumed`);
  return count;
}

async function resumeAll(context: InvoicingContext, kinds: OperationKind[], errors: unknown[]): Promise<number> {
  const abandoned = await context.em
    .fork()
    .find(ProviderOperation, abandonedOf(context, kinds), { orderBy: { leaseUntil: 'asc' }, limit: BATCH });
  for (const operation of abandoned) {
    const background = asProvider(context, operation.stripeConnection ? 'STRIPE' : 'QBO');
    await resume(asRequester(background, operation), operation).catch(async (error: unknown) => {
      errors.push(error);
      await leaveForLater(context, operation);
    });
  }
  return abandoned.length;
}

function abandonedOf(
  { clock, allowsSimulators, allowsStripeSimulator }: InvoicingContext,
  kinds: OperationKind[],
): FilterQuery<ProviderOperation> {
  const now = clock.now();
  const isUsed = (isAllowed: boolean) => (isAllowed ? {} : { simulated: false });
  return {
    kind: { $in: kinds },
    state: { $in: OPEN_STATES },
    leaseUntil: { $lte: now },
    // Their envelope is gone on with, and they with it.
    envelope: null,
    $and: [
      { $or: [{ resumeAt: null }, { resumeAt: { $lte: now } }] },
      // Others cannot go on anyway, and must not keep these waiting.
      {
        $or: [
          { qboConnection: { status: QboConnectionStatus.CONNECTED, ...isUsed(allowsSimulators) } },
          { stripeConnection: { status: StripeConnectionStatus.CONNECTED, ...isUsed(allowsStripeSimulator) } },
        ],
      },
    ],
  };
}

async function resume(context: InvoicingContext, operation: ProviderOperation): Promise<unknown> {
  const { id, kind, subject, stripeConnection } = operation;
  const isStripe = stripeConnection !== null;
  switch (kind) {
    case OperationKind.CREATE_INVOICE:
      return (isStripe ? createStripeInvoice : createQboInvoice)(context, { purchaseOrderId: subject }, id);
    // Customers of Stripe are no operations.
    case OperationKind.CREATE_CUSTOMER:
      return resumeCustomer(context, operation);
    case OperationKind.SEND_INVOICE:
      return (isStripe ? resumeStripeEmail : resumeEmail)(context, operation);
    case OperationKind.VOID_INVOICE:
      return resumeVoid(context, operation);
    case OperationKind.SWITCH_PROVIDER:
      return resumeSwitch(context, operation);
    case OperationKind.CREATE_INVOICES:
      return resumeEnvelope(context, operation);
  }
}

/** Goes on with what it is for. */
async function resumeVoid(context: InvoicingContext, { id, subject, purpose }: ProviderOperation): Promise<unknown> {
  const em = context.em.fork();
  const { purchaseOrder } = await em.findOneOrFail(Invoice, subject);
  if (purpose === VoidPurpose.CANCEL) return cancelPurchaseOrder(context, { purchaseOrderId: purchaseOrder.id }, id);
  const switching = await em.findOne(ProviderOperation, {
    kind: OperationKind.SWITCH_PROVIDER,
    subject: purchaseOrder.id,
    state: { $in: OPEN_STATES },
  });
  return switching ? resumeSwitch(context, switching) : settleLeftVoid(context, purchaseOrder.id, id);
}

/** Its switch was given up when the invoice was gone already: nothing follows. */
async function settleLeftVoid(context: InvoicingContext, purchaseOrderId: string, operationId: string): Promise<void> {
  await inTransaction(context.em, async (tx) => {
    await lockExistingPurchaseOrder(tx, purchaseOrderId);
    await closeVoids(tx, context, purchaseOrderId);
    if (await isStillOpen(tx, operationId)) throw new Error(`void ${operationId} belongs to no switch any more`);
  });
}

function resumeSwitch(context: InvoicingContext, operation: ProviderOperation): Promise<unknown> {
  const { id, subject } = operation;
  return switchInvoiceProvider(context, { purchaseOrderId: subject, provider: targetOf(operation) }, id);
}

/** Those that always throw must not stay at the head of the queue. */
async function leaveForLater({ em, clock, waits }: InvoicingContext, { id }: ProviderOperation): Promise<void> {
  const resumeAt = new Date(clock.now().getTime() + waits.operationLeaseMs);
  await em.fork().nativeUpdate(ProviderOperation, id, { resumeAt });
}
