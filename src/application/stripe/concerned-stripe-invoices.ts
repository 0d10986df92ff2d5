import type { EntityManager } from '@mikro-orm/postgresql';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { Payment, PaymentSource } from '../../domain/purchase-order/payment.entity.js';
import { accountCompanyId, type StripeConnection } from '../../domain/stripe/stripe-connection.entity.js';

/** Stripe's ids of the invoices on which these payments (payment intents) were ever booked; by payment. */
export async function bookedInvoices(
  em: EntityManager,
  connection: StripeConnection,
  paymentIntentIds: readonly string[],
): Promise<Map<string, readonly string[]>> {
  if (paymentIntentIds.length === 0) return new Map();
  const booked = await em.fork().find(Payment, {
    source: PaymentSource.STRIPE,
    providerCompany: accountCompanyId(connection),
    reference: { $in: [...paymentIntentIds] },
  });
  const byPayment = Map.groupBy(booked, ({ reference }) => reference);
  return new Map(
    [...byPayment].map(([id, rows]) => [id, [...new Set(rows.map((row) => String(row.providerInvoiceId)))]]),
  );
}

/**
 * Those of these invoices that are ours, by Stripe's id: made through this connection, whoever else uses the account, and in
 * the account that it opens now.
 */
export async function findOwnStripeInvoices(
  em: EntityManager,
  connection: StripeConnection,
  externalIds: Iterable<string>,
): Promise<Map<string, Invoice>> {
  const ids = [...new Set(externalIds)];
  if (ids.length === 0) return new Map();
  const companyId = accountCompanyId(connection);
  const own = { stripeConnection: connection.id, companyId, externalId: { $in: ids } };
  const invoices = await em.fork().find(Invoice, own);
  return new Map(invoices.map((invoice) => [String(invoice.externalId), invoice]));
}
