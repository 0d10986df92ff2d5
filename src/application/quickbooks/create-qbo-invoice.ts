import type { EntityManager } from '@mikro-orm/postgresql';
import { calendarDay } from '../../domain/clock.js';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceStatus } from '../../domain/invoice/invoice.status.js';
import { ClientIdempotencyKey } from '../../domain/operation/client-idempotency-key.entity.js';
import { OperationState, ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import type { QboCompanySettings } from '../../domain/quickbooks/qbo-connection.entity.js';
import { type Attempt, beginAttempt, isReplayable, settleAttempt } from '../operations/provider-operations.js';
import { refused } from '../outcome.js';
import type { ProviderInvoice } from '../ports/accounting.js';
import type { ProviderFailure, ProviderResult } from '../ports/provider.js';
import { lockExistingPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { inTransaction } from '../transaction.js';
import { type ClaimedInvoice, claimInvoice } from './claim-invoice.js';
import { companySettings, forgetCompanySettings } from './company-settings.js';
import type { CreateQboInvoiceCode, CreateQboInvoiceOutcome } from './create-qbo-invoice.outcome.js';
import type { QboContext } from './qbo-context.js';
import { describeProviderFailure, type QboFailure } from './qbo-failure.js';
import { recordCreatedInvoice } from './record-invoice.js';
import { resolveCustomer } from './resolve-customer.js';
import { syncInvoice } from './sync-invoice.js';

export interface CreateQboInvoiceInput {
  readonly purchaseOrderId: string;
  readonly idempotencyKey?: string | null;
}

/**
 * Creates the purchase order's invoice in QuickBooks, with every line, and marks a draft as sent. Claim, call, record:
 * whatever happens in between, calling it again continues the same invoice and never makes a second one. `id` of the
 * outcome is the purchase order's; with `QBO_TOTAL_DIFFERS` the invoice exists although something about it is wrong.
 */
export async function createQboInvoice(
  context: QboContext,
  { idempotencyKey, ...input }: CreateQboInvoiceInput,
): Promise<CreateQboInvoiceOutcome> {
  const request = { mutation: 'createQboInvoice', key: idempotencyKey ?? undefined, input };
  const claim = await inTransaction(context.em, (tx) => claimInvoice(tx, context, input.purchaseOrderId, request));
  if ('answer' in claim) return claim.answer;
  const { claimed } = claim;
  const prepared = await prepare(context, claimed);
  if ('failure' in prepared) return abandon(context, claimed, prepared);
  const attempt = await begin(context, claimed, prepared.body);
  if (!attempt) return refused(stillUnknown());
  const { connection } = claimed;
  const result = await context.accounting.createInvoice(connection.id, prepared.body, attempt.operationId);
  return record(context, claimed, { attempt, result, body: prepared.body });
}

type Prepared = { readonly body: string } | PreparationFailure;

interface PreparationFailure {
  readonly failure: QboFailure<CreateQboInvoiceCode>;
  /** Nothing was sent and nothing will be: the claim can be given up. Otherwise the background goes on with it. */
  readonly isFinal: boolean;
}

/** Finds out what the invoice must name (customer, item) and words it; a body that was sent before stays as it was. */
async function prepare(context: QboContext, claimed: ClaimedInvoice): Promise<Prepared> {
  const { connection, operation, order } = claimed;
  if (operation.body !== null) return { body: operation.body };
  const settings = await companySettings(context, connection);
  if (!settings.ok) return providerFailure(settings.failure);
  const serviceItemId = connection.serviceItemId ?? settings.value.serviceItemId;
  if (serviceItemId === undefined) {
    await forgetCompanySettings(context, connection.id);
    return { failure: ITEM_MISSING, isFinal: true };
  }
  const customer = await resolveCustomer(context, { connection, order, settings: settings.value });
  if (customer.ok) {
    return { body: await invoiceBody(context, claimed, settings.value, customer.value, serviceItemId) };
  }
  if (customer.failure.kind === 'in_progress') return { failure: CUSTOMER_IN_PROGRESS, isFinal: false };
  return providerFailure(customer.failure);
}

const ITEM_MISSING: QboFailure<'QBO_ITEM_MISSING'> = {
  code: 'QBO_ITEM_MISSING',
  message:
    'No product or service is known to put on the invoice lines: give configureQboConnection a serviceItemId, or have an active one named "Services" in QuickBooks.',
  path: [],
};

const CUSTOMER_IN_PROGRESS: QboFailure<'IN_PROGRESS'> = {
  code: 'IN_PROGRESS',
  message: 'Another request is creating the same customer in QuickBooks; ask again in a few seconds.',
  path: [],
};

function providerFailure(failure: ProviderFailure): PreparationFailure {
  return { failure: describeProviderFailure(failure), isFinal: failure.kind !== 'unknown' };
}

async function invoiceBody(
  context: QboContext,
  { order, operation }: ClaimedInvoice,
  settings: QboCompanySettings,
  customerExternalId: string,
  serviceItemId: string,
): Promise<string> {
  const { timezone } = await order.conference.loadOrFail();
  const lines = await order.lineItems.loadItems();
  return context.accounting.prepareInvoice({
    customerExternalId,
    serviceItemId,
    currency: order.currencyCode,
    sendCurrency: settings.multiCurrency,
    reference: order.reference,
    buyerReference: order.buyerReference,
    documentNumber: settings.customDocumentNumbers ? documentNumber(order, operation) : undefined,
    invoiceDate: calendarDay(context.clock.now(), timezone),
    dueDate: order.dueDate ?? undefined,
    email: order.contactEmail,
    billingAddress: order.billingAddress,
    lines: lines.map((line) => ({
      description: line.description,
      quantity: line.quantity,
      unitPrice: line.unitPriceMinor,
      amount: line.lineTotalMinor,
    })),
  });
}

/** A voided or refused invoice keeps its number in QuickBooks, so a later one of the same order gets a suffix. */
function documentNumber(order: PurchaseOrder, operation: ProviderOperation): string {
  return operation.generation === 1 ? order.reference : `${order.reference}-${operation.generation}`;
}

/** Undefined: it was sent so long ago that sending it again might make a second invoice. */
async function begin(context: QboContext, { operation }: ClaimedInvoice, body: string): Promise<Attempt | undefined> {
  return inTransaction(context.em, async (tx) => {
    const current = await tx.findOneOrFail(ProviderOperation, operation.id);
    const now = context.clock.now();
    if (isReplayable(current, now)) return beginAttempt(current, body, now);
    Object.assign(current, { state: OperationState.UNKNOWN, leaseUntil: now, updatedAt: now });
    return undefined;
  });
}

function stillUnknown(): QboFailure<'OUTCOME_UNKNOWN'> {
  return {
    code: 'OUTCOME_UNKNOWN',
    message:
      'It is not known whether QuickBooks made this invoice, and too much time has passed to ask again safely. Look for the reference of the purchase order in QuickBooks.',
    path: ['purchaseOrderId'],
  };
}

/** Gives the claim up, or leaves it for the background, when nothing of the invoice itself was sent. */
async function abandon(
  context: QboContext,
  { order, operation, invoiceId }: ClaimedInvoice,
  { failure, isFinal }: PreparationFailure,
): Promise<CreateQboInvoiceOutcome> {
  await inTransaction(context.em, async (tx) => {
    await lockExistingPurchaseOrder(tx, order.id);
    const current = await tx.findOneOrFail(ProviderOperation, operation.id);
    const now = context.clock.now();
    Object.assign(current, { lastError: failure.message, leaseUntil: now, updatedAt: now });
    if (!isFinal) return;
    current.state = OperationState.REFUSED;
    await releaseClaim(tx, invoiceId);
  });
  return refused(failure);
}

/** No invoice came into being: its row goes, and the client's key may be used again. */
async function releaseClaim(tx: EntityManager, invoiceId: string): Promise<void> {
  await tx.flush();
  await tx.nativeDelete(Invoice, invoiceId);
  await tx.nativeDelete(ClientIdempotencyKey, { resultId: invoiceId });
}

interface SentInvoice {
  readonly attempt: Attempt;
  readonly result: ProviderResult<ProviderInvoice>;
  readonly body: string;
}

async function record(
  context: QboContext,
  claimed: ClaimedInvoice,
  { attempt, result, body }: SentInvoice,
): Promise<CreateQboInvoiceOutcome> {
  const { invoiceId, connection, order } = claimed;
  const outcome = await inTransaction(context.em, async (tx): Promise<CreateQboInvoiceOutcome> => {
    const locked = await lockExistingPurchaseOrder(tx, order.id);
    const settlement = await settleAttempt(tx, attempt, result, context.clock.now());
    if (result.ok) return recordCreatedInvoice(tx, context, locked, invoiceId, { answer: result.value, body });
    if (settlement === 'refused') await releaseClaim(tx, invoiceId);
    if (settlement === 'unknown') await tx.nativeUpdate(Invoice, invoiceId, { status: InvoiceStatus.UNKNOWN });
    const isRefused = settlement === 'refused';
    return refused(describeProviderFailure(isRefused ? result.failure : { ...result.failure, kind: 'unknown' }));
  });
  if (!result.ok && result.failure.kind === 'rejected') await forgetCompanySettings(context, connection.id);
  // A replayed answer is as old as the first attempt, and automatic credits apply at once: look at it as it is now.
  const mayHaveMoved = result.ok && (attempt.number > 1 || result.value.paymentIds.length > 0);
  if (mayHaveMoved && outcome.id === order.id) await syncInvoice(context, invoiceId);
  return outcome;
}
