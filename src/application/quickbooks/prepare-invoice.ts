import type { EntityManager } from '@mikro-orm/postgresql';
import { calendarDay } from '../../domain/clock.js';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { OperationKind, ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import type { QboCompanySettings, QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import type { PreparationFailure as Failed } from '../invoicing/end-claim.js';
import type { ProviderFailure } from '../ports/provider.js';
import type { ClaimedInvoice } from './claim-qbo-invoice.js';
import { companySettings, markSettingsStale } from './company-settings.js';
import type { CreateQboInvoiceCode } from './create-qbo-invoice.outcome.js';
import type { QboContext } from './qbo-context.js';
import { describeProviderFailure, type QboFailure } from './qbo-failure.js';
import { resolveCustomer } from './resolve-customer.js';

export type PreparationFailure = Failed<QboFailure<CreateQboInvoiceCode>>;
export type PreparedInvoice = { readonly body: string } | PreparationFailure;

/** Finds out what the invoice must name (customer, item) and words it; a body that was sent before stays as it was. */
export async function prepareInvoice(context: QboContext, claimed: ClaimedInvoice): Promise<PreparedInvoice> {
  const { connection, operation, order } = claimed;
  if (operation.body !== null) return { body: operation.body };
  const company = await companyFor(context, connection, order);
  if ('failure' in company) return company;
  const { settings, serviceItemId } = company;
  const customer = await resolveCustomer(context, { connection, order, settings });
  if (customer.ok) {
    return { body: await invoiceBody(context, claimed, settings, customer.value, serviceItemId) };
  }
  if (customer.failure.kind === 'in_progress') return { failure: CUSTOMER_IN_PROGRESS, isFinal: false };
  return providerFailure(customer.failure);
}

/** What the company has to be invoiced with, or why it cannot invoice this order. */
export async function companyFor(
  context: QboContext,
  connection: QboConnection,
  order: PurchaseOrder,
): Promise<{ readonly settings: QboCompanySettings; readonly serviceItemId: string } | PreparationFailure> {
  const settings = await companySettings(context, connection);
  if (!settings.ok) return providerFailure(settings.failure);
  const { multiCurrency, homeCurrency } = settings.value;
  if (!multiCurrency && homeCurrency !== order.currencyCode) {
    await markSettingsStale(context, connection.id);
    return { failure: otherCurrency(order, homeCurrency), isFinal: true };
  }
  const serviceItemId = connection.serviceItemId ?? settings.value.serviceItemId;
  if (serviceItemId === undefined) {
    await markSettingsStale(context, connection.id);
    return { failure: ITEM_MISSING, isFinal: true };
  }
  return { settings: settings.value, serviceItemId };
}

const ITEM_MISSING: QboFailure<'QBO_ITEM_MISSING'> = {
  code: 'QBO_ITEM_MISSING',
  message:
    'No product or service is known to put on the invoice lines: give configureQboConnection a serviceItemId, or have an active one named "Services" in QuickBooks.',
  path: [],
};

/** Such a company takes every amount for its own currency: it would invoice 100 euros as 100 dollars. */
function otherCurrency({ currencyCode }: PurchaseOrder, homeCurrency: string): QboFailure<'QBO_REJECTED'> {
  return {
    code: 'QBO_REJECTED',
    message: `This QuickBooks company keeps its books in ${homeCurrency} only, and the purchase order is in ${currencyCode}: turn on Multicurrency in QuickBooks first.`,
    path: ['purchaseOrderId'],
  };
}

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
    marker: operation.id,
    buyerReference: order.buyerReference,
    documentNumber: settings.customDocumentNumbers ? await documentNumber(context.em, order) : undefined,
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

/**
 * The reference; with a suffix when it is used up: earlier invoices of the order keep their numbers in QuickBooks also
 * when they were voided, and a number that was refused as taken is somebody else's.
 */
async function documentNumber(em: EntityManager, { id, reference }: PurchaseOrder): Promise<string> {
  const earlier = await em.count(Invoice, { purchaseOrder: id, externalId: { $ne: null } });
  const taken = await em.count(ProviderOperation, {
    kind: OperationKind.CREATE_INVOICE,
    subject: id,
    rejection: 'duplicate_number',
  });
  const usedUp = earlier + taken;
  return usedUp === 0 ? reference : `${reference}-${usedUp + 1}`;
}
