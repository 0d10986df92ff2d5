import { ref } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceProvider, InvoiceStatus } from '../../domain/invoice/invoice.status.js';
import { ZERO } from '../../domain/money.js';
import { OperationKind, type ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { PurchaseOrderStatus } from '../../domain/purchase-order/purchase-order.status.js';
import { companyIdOf, type QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import { claimKey, type IdempotentRequest, releaseKey } from '../idempotency.js';
import { claimOperation, isStillOpen } from '../operations/provider-operations.js';
import { refused } from '../outcome.js';
import { describeInvoice, findLiveInvoice } from '../purchase-orders/live-invoice.js';
import { type LockedPurchaseOrder, lockPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import type { CreateQboInvoiceOutcome } from './create-qbo-invoice.outcome.js';
import type { QboContext } from './qbo-context.js';
import type { QboFailure } from './qbo-failure.js';
import { differences } from './record-invoice.js';
import { usableConnection } from './usable-connection.js';
import { closeVoids } from './void-qbo-invoice.js';

export interface ClaimedInvoice {
  readonly order: PurchaseOrder;
  readonly connection: QboConnection;
  readonly operation: ProviderOperation;
  readonly invoiceId: string;
  /** Why it must not be sent any more, if it was sent before. */
  readonly obstacle?: Obstacle | undefined;
}

type Obstacle = NonNullable<ReturnType<typeof whyNotInvoiceable>>;

/** The invoice is ours to create, or the answer is known already. */
export type InvoiceClaim = { readonly claimed: ClaimedInvoice } | { readonly answer: CreateQboInvoiceOutcome };

/**
 * Under the purchase order's lock: checks the rules and writes down the invoice to be created, so that of two
 * simultaneous calls exactly one goes on. An abandoned attempt of the same invoice is taken over instead.
 */
export async function claimInvoice(
  tx: EntityManager,
  context: QboContext,
  purchaseOrderId: string,
  request: IdempotentRequest & { readonly continuing?: string | undefined },
): Promise<InvoiceClaim> {
  const locked = await lockPurchaseOrder(tx, purchaseOrderId);
  if (!locked) return answer({ code: 'NOT_FOUND', message: 'There is no purchase order with this id.', path: PATH });
  const { continuing } = request;
  if (continuing !== undefined && !(await isStillOpen(tx, continuing))) return answer(inProgress(false));
  const live = await findLiveInvoice(tx, purchaseOrderId);
  const invoiceId = live?.id ?? context.ids.next('inv');
  const earlier = await claimKey(tx, context, request, invoiceId);
  if (earlier?.resultId === null) return { answer: earlier.refusal };
  const isRepetition = earlier !== undefined;
  if (earlier && (live?.id !== earlier.resultId || live.externalId)) return repeatAnswer(tx, locked, earlier.resultId);
  const decision = await decide(tx, context, locked, { live, invoiceId, isRepetition });
  if ('answer' in decision && !isRepetition) await releaseKey(tx, context, request);
  return decision;
}

interface Candidate {
  readonly live: Invoice | null;
  readonly invoiceId: string;
  /** The client sent this request before. */
  readonly isRepetition: boolean;
}

async function decide(
  tx: EntityManager,
  context: QboContext,
  locked: LockedPurchaseOrder,
  candidate: Candidate,
): Promise<InvoiceClaim> {
  const { live } = candidate;
  if (live?.externalId) return answer(alreadyInvoiced(live));
  const obstacle = whyNotInvoiceable(locked);
  if (obstacle && !live) return answer(obstacle);
  const claimed = await claim(tx, context, locked.order, candidate);
  return 'answer' in claimed ? claimed : { claimed: { ...claimed.claimed, obstacle } };
}

const PATH = ['purchaseOrderId'];

function answer(failure: CreateQboInvoiceOutcome['failures'][number]): InvoiceClaim {
  return { answer: refused(failure) };
}

/** The same request gets the same answer, also when the invoice was paid or voided meanwhile. */
async function repeatAnswer(
  tx: EntityManager,
  { order }: LockedPurchaseOrder,
  invoiceId: string,
): Promise<InvoiceClaim> {
  const invoice = await tx.findOneOrFail(Invoice, invoiceId);
  return { answer: { id: order.id, failures: differences(order, invoice) } };
}

function alreadyInvoiced(invoice: Invoice) {
  return {
    code: 'ALREADY_INVOICED',
    message: `This purchase order has ${describeInvoice(invoice)} already.`,
    path: PATH,
    ...(invoice.externalId !== null && { invoiceId: invoice.externalId }),
  } as const;
}

/** Why the order must not be invoiced in full, if there is a reason. */
export function whyNotInvoiceable({ order, ledger }: LockedPurchaseOrder) {
  if (order.cancelledAt) {
    return { code: 'CANCELLED', message: 'This purchase order is cancelled.', path: PATH } as const;
  }
  if (order.totalMinor === ZERO) {
    return { code: 'NOTHING_TO_INVOICE', message: 'The total of this purchase order is zero.', path: PATH } as const;
  }
  if (order.status === PurchaseOrderStatus.PAID || order.status === PurchaseOrderStatus.OVERPAID) {
    return { code: 'ALREADY_PAID', message: 'Nothing is due on this purchase order.', path: PATH } as const;
  }
  if (ledger.paid > ZERO || ledger.credited > ZERO) {
    return {
      code: 'HAS_PAYMENTS_OR_CREDITS',
      message: 'This purchase order is partly paid or credited; an invoice would ask for the full amount.',
      path: PATH,
    } as const;
  }
  return undefined;
}

async function claim(
  tx: EntityManager,
  context: QboContext,
  order: PurchaseOrder,
  { live, invoiceId, isRepetition }: Candidate,
): Promise<InvoiceClaim> {
  const usable = await usableConnection(context, order, live);
  if ('failure' in usable) return answer(usable.failure);
  const { connection } = usable;
  const subject = { kind: OperationKind.CREATE_INVOICE, subject: order.id, connectionId: connection.id, body: null };
  const operation = await claimOperation(tx, context, subject);
  if (operation.status === 'busy') return answer(operation.isUnknown ? BEING_SETTLED : inProgress(isRepetition));
  if (!live) {
    // Whoever invoices anew after a void wants the order: the cancellation behind it must not go on.
    if (operation.operation.generation > 1) await closeVoids(tx, context, order.id);
    createRow(tx, context, order, connection, invoiceId);
  }
  await tx.flush();
  return { claimed: { order, connection, operation: operation.operation, invoiceId } };
}

const BEING_SETTLED: QboFailure<'OUTCOME_UNKNOWN'> = {
  code: 'OUTCOME_UNKNOWN',
  message:
    'It is not known yet whether QuickBooks made this invoice. This is being settled right now; ask again in a few seconds.',
  path: PATH,
};

function inProgress(isRepetition: boolean) {
  return {
    code: isRepetition ? 'IDEMPOTENCY_IN_PROGRESS' : 'IN_PROGRESS',
    message: 'The invoice is being created; ask again in a few seconds.',
    path: PATH,
  } as const;
}

function createRow(
  tx: EntityManager,
  { clock }: QboContext,
  order: PurchaseOrder,
  connection: QboConnection,
  id: string,
): void {
  const now = clock.now();
  tx.create(Invoice, {
    id,
    purchaseOrder: order,
    provider: InvoiceProvider.QBO,
    qboConnection: ref(connection),
    companyId: companyIdOf(connection),
    status: InvoiceStatus.CREATING,
    currencyCode: order.currencyCode,
    totalMinor: order.totalMinor,
    balanceMinor: order.totalMinor,
    createdAt: now,
    updatedAt: now,
  });
}
