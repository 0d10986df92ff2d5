import type { EntityManager } from '@mikro-orm/postgresql';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { CreditNote, CreditNoteSource } from '../../domain/purchase-order/credit-note.entity.js';
import { Payment, PaymentSource } from '../../domain/purchase-order/payment.entity.js';
import { companyIdOf, type QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import type { ProviderPayment } from '../ports/accounting.js';

/** QuickBooks' ids of the invoices that payments pay now, as far as they were read, or paid before; by payment. */
export async function invoicesOfPayments(
  em: EntityManager,
  connection: QboConnection,
  paymentIds: readonly string[],
  read: Iterable<ProviderPayment>,
): Promise<Map<string, readonly string[]>> {
  if (paymentIds.length === 0) return new Map();
  const identity = { providerCompany: companyIdOf(connection), providerPaymentId: { $in: [...paymentIds] } };
  const booked = [
    ...(await em.fork().find(Payment, { source: PaymentSource.QBO, ...identity })),
    ...(await em.fork().find(CreditNote, { source: CreditNoteSource.QBO, ...identity })),
  ];
  const before = booked.map((row) => ({
    payment: String(row.providerPaymentId),
    invoice: String(row.providerInvoiceId),
  }));
  const now = [...read].flatMap((payment) =>
    invoicesPaidBy(payment).map((invoice) => ({ payment: payment.externalId, invoice })),
  );
  const byPayment = Map.groupBy([...now, ...before], ({ payment }) => payment);
  return new Map([...byPayment].map(([id, pairs]) => [id, [...new Set(pairs.map(({ invoice }) => invoice))]]));
}

/** QuickBooks' ids of the invoices to which a payment is applied. */
export function invoicesPaidBy({ applications }: ProviderPayment): string[] {
  return applications.flatMap(({ kind, externalId }) => (kind === 'invoice' ? [externalId] : []));
}

/** Those of these invoices that are ours, by QuickBooks' id. */
export async function findOwnInvoices(
  em: EntityManager,
  qboConnection: QboConnection,
  externalIds: Iterable<string>,
): Promise<Map<string, Invoice>> {
  const ids = [...new Set(externalIds)];
  if (ids.length === 0) return new Map();
  const invoices = await em.fork().find(Invoice, { qboConnection, externalId: { $in: ids } });
  return new Map(invoices.map((invoice) => [String(invoice.externalId), invoice]));
}
