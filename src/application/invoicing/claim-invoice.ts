import type { EntityManager } from '@mikro-orm/postgresql';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceProvider, InvoiceStatus, isBeingMade, PROVIDER_NAMES } from '../../domain/invoice/invoice.status.js';
import { ZERO } from '../../domain/money.js';
import { OperationKind, type ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { PurchaseOrderStatus } from '../../domain/purchase-order/purchase-order.status.js';
import type { UseCaseContext } from '../context.js';
import { claimKey, type IdempotencyCode, type IdempotentRequest, releaseKey } from '../idempotency.js';
import { claimOperation, connectionRefs, isStillOpen } from '../operations/provider-operations.js';
import { type Failure, type Outcome, refused } from '../outcome.js';
import { type LockedPurchaseOrder, lockPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { closeVoids } from './close-voids.js';
import { describeInvoice, findLiveInvoice } from './live-invoice.js';
import { BEING_SWITCHED, switchTargetOf } from './open-switch.js';

/** Why an invoice cannot be claimed, whichever provider is to make it. */
export type ClaimCode =
  | IdempotencyCode
  | 'NOT_FOUND'
  | 'ALREADY_INVOICED'
  | 'NOTHING_TO_INVOICE'
  | 'CANCELLED'
  | 'ALREADY_PAID'
  | 'HAS_PAYMENTS_OR_CREDITS'
  | 'IN_PROGRESS'
  | 'IDEMPOTENCY_IN_PROGRESS'
  | 'OUTCOME_UNKNOWN';

export interface ClaimFailure extends Failure<ClaimCode> {
  /** The provider's id of the invoice concerned. */
  readonly invoiceId?: string;
}

/** How one provider takes part in a claim. */
export interface ClaimingProvider<Connection extends { readonly id: string }, F> {
  readonly provider: `${InvoiceProvider}`;
  /** The connection to invoice through, or why there is none. */
  usable(
    order: PurchaseOrder,
    live: Invoice | null,
  ): Promise<{ readonly connection: Connection } | { readonly failure: F }>;
  companyIdOf(connection: Connection): string;
  /** Empty, or what to say of an invoice that is not what was asked for. */
  differences(order: PurchaseOrder, invoice: Invoice): readonly F[];
}

export interface ClaimedInvoice<Connection> {
  readonly order: PurchaseOrder;
  readonly connection: Connection;
  readonly operation: ProviderOperation;
  readonly invoiceId: string;
  /** The provider's id of what an earlier sending left behind unfinished, when it is known. */
  readonly draftId: string | undefined;
  /** Why it must not be sent any more, if it was sent before. */
  readonly obstacle?: Obstacle | undefined;
}

export type Obstacle = NonNullable<ReturnType<typeof whyNotInvoiceable>>;

/** The invoice is ours to create, or the answer is known already. */
export type InvoiceClaim<Connection, F> =
  | { readonly claimed: ClaimedInvoice<Connection> }
  | { readonly answer: Outcome<F | ClaimFailure> };

export interface ClaimRequest extends IdempotentRequest {
  readonly purchaseOrderId: string;
  /** The operation to go on with, if only that. */
  readonly continuing?: string | undefined;
  /** The envelope that is gone on with, when that operation is a member of one. */
  readonly envelopeId?: string | undefined;
}

/**
 * Under the purchase order's lock: checks the rules and writes down the invoice to be created, so that of two
 * simultaneous calls exactly one goes on, also when they name different providers. An abandoned attempt of the same
 * invoice is taken over instead.
 */
export async function claimInvoice<Connection extends { readonly id: string }, F>(
  tx: EntityManager,
  context: UseCaseContext,
  provider: ClaimingProvider<Connection, F>,
  { purchaseOrderId, continuing, envelopeId, ...request }: ClaimRequest,
): Promise<InvoiceClaim<Connection, F>> {
  const locked = await lockPurchaseOrder(tx, context, purchaseOrderId);
  if (!locked) return answer({ code: 'NOT_FOUND', message: 'There is no purchase order with this id.', path: PATH });
  if (continuing !== undefined && !(await isStillOpen(tx, continuing))) return answer(inProgress(false));
  const live = await findLiveInvoice(tx, purchaseOrderId);
  const invoiceId = live?.id ?? context.ids.next('inv');
  const earlier = await claimKey(tx, context, request, invoiceId);
  if (earlier?.resultId === null) return { answer: earlier.refusal };
  const isRepetition = earlier !== undefined;
  if (earlier && (live?.id !== earlier.resultId || !isBeingMade(live.status))) {
    const invoice = await tx.findOneOrFail(Invoice, earlier.resultId);
    // The same request gets the same answer, also when the invoice was paid or voided meanwhile.
    return { answer: { id: locked.order.id, failures: provider.differences(locked.order, invoice) } };
  }
  const decision = await decide(tx, context, provider, { locked, live, invoiceId, isRepetition, envelopeId });
  if ('answer' in decision && !isRepetition) await releaseKey(tx, context, request);
  return decision;
}

interface Candidate {
  readonly locked: LockedPurchaseOrder;
  readonly live: Invoice | null;
  readonly invoiceId: string;
  /** The client sent this request before. */
  readonly isRepetition: boolean;
  readonly envelopeId: string | undefined;
}

async function decide<Connection extends { readonly id: string }, F>(
  tx: EntityManager,
  context: UseCaseContext,
  provider: ClaimingProvider<Connection, F>,
  candidate: Candidate,
): Promise<InvoiceClaim<Connection, F>> {
  const { live, locked } = candidate;
  if (live && (!isBeingMade(live.status) || live.provider !== provider.provider)) return answer(alreadyInvoiced(live));
  const obstacle = whyNotInvoiceable(locked);
  if (obstacle && !live) return answer(obstacle);
  const claimed = await claim(tx, context, provider, candidate);
  return 'answer' in claimed ? claimed : { claimed: { ...claimed.claimed, obstacle } };
}

const PATH = ['purchaseOrderId'];

function answer(failure: ClaimFailure) {
  return { answer: refused(failure) };
}

/** What to say of a live invoice to who wants another one. */
export function alreadyInvoiced(invoice: Invoice) {
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

async function claim<Connection extends { readonly id: string }, F>(
  tx: EntityManager,
  context: UseCaseContext,
  provider: ClaimingProvider<Connection, F>,
  { locked: { order }, live, invoiceId, isRepetition, envelopeId }: Candidate,
): Promise<InvoiceClaim<Connection, F>> {
  const usable = await provider.usable(order, live);
  if ('failure' in usable) return { answer: refused(usable.failure) };
  const { connection } = usable;
  const { id } = connection;
  const subject = { kind: OperationKind.CREATE_INVOICE, subject: order.id, body: null, envelopeId };
  const operation = await claimOperation(tx, context, { ...subject, connection: { provider: provider.provider, id } });
  if (operation.status === 'busy') {
    return answer(operation.isUnknown ? beingSettled(provider.provider) : inProgress(isRepetition));
  }
  if (!live) {
    // Only an order that was invoiced before can be moved elsewhere.
    if (operation.operation.generation > 1 && (await isMovedElsewhere(tx, order, provider))) {
      tx.remove(operation.operation);
      return answer(BEING_SWITCHED);
    }
    // Whoever invoices anew after a void wants the order: the cancellation behind it must not go on.
    if (operation.operation.generation > 1) await closeVoids(tx, context, order.id);
    createRow(tx, context, order, { ...provider, connection, invoiceId });
  }
  await tx.flush();
  const draftId = live?.externalId ?? undefined;
  return { claimed: { order, connection, operation: operation.operation, invoiceId, draftId } };
}

/** Between the void and the creation of a switch nobody else may invoice the order, except where it is going. */
async function isMovedElsewhere(
  tx: EntityManager,
  { id }: PurchaseOrder,
  { provider }: Pick<ClaimingProvider<never, never>, 'provider'>,
): Promise<boolean> {
  const target = await switchTargetOf(tx, id);
  return target !== undefined && target !== provider;
}

function beingSettled(provider: `${InvoiceProvider}`): ClaimFailure {
  return {
    code: 'OUTCOME_UNKNOWN',
    message: `It is not known yet whether ${PROVIDER_NAMES[provider]} made this invoice. This is being settled right now; ask again in a few seconds.`,
    path: PATH,
  };
}

function inProgress(isRepetition: boolean) {
  return {
    code: isRepetition ? 'IDEMPOTENCY_IN_PROGRESS' : 'IN_PROGRESS',
    message: 'The invoice is being created; ask again in a few seconds.',
    path: PATH,
  } as const;
}

interface NewInvoice<Connection> extends Pick<ClaimingProvider<never, never>, 'provider'> {
  readonly companyIdOf: (connection: Connection) => string;
  readonly connection: Connection;
  readonly invoiceId: string;
}

function createRow<Connection extends { readonly id: string }>(
  tx: EntityManager,
  { clock }: UseCaseContext,
  order: PurchaseOrder,
  { provider, companyIdOf, connection, invoiceId }: NewInvoice<Connection>,
): void {
  const now = clock.now();
  tx.create(Invoice, {
    id: invoiceId,
    purchaseOrder: order,
    provider: InvoiceProvider[provider],
    ...connectionRefs({ provider, id: connection.id }),
    companyId: companyIdOf(connection),
    status: InvoiceStatus.CREATING,
    currencyCode: order.currencyCode,
    totalMinor: order.totalMinor,
    balanceMinor: order.totalMinor,
    createdAt: now,
    updatedAt: now,
  });
}
