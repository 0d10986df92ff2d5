import type { VoidingProvider } from '../invoicing/void-invoice.js';
import type { BillingInvoice } from '../ports/billing.js';
import { applyStripeReading } from './book-stripe-reading.js';
import type { StripeContext } from './stripe-context.js';
import { describeStripeFailure, type StripeFailure, type StripeProviderCode } from './stripe-failure.js';
import { syncStripeInvoice } from './sync-invoice.js';
import { checkStripeConnection, type StripeConnectionCode } from './usable-stripe-connection.js';

export type VoidStripeCode = StripeProviderCode | StripeConnectionCode;

/** Stripe knows no versions: it voids what is open, so that the invoice is read right before. */
export function stripeVoiding(context: StripeContext): VoidingProvider<BillingInvoice, StripeFailure<VoidStripeCode>> {
  const { billing } = context;
  return {
    provider: 'STRIPE',
    checksVersion: false,
    usable: async (_order, { stripeConnection }) =>
      checkStripeConnection(context, (await stripeConnection?.loadOrFail()) ?? null),
    // The request has no body: it names the invoice.
    prepare: ({ externalId }) => String(externalId),
    send: (connectionId, externalId, key) => billing.voidInvoice(connectionId, externalId, key),
    isVoid: ({ status }) => status === 'VOID',
    apply: (tx, voided) => applyStripeReading(tx, context, voided),
    sync: (invoiceId) => syncStripeInvoice(context, invoiceId),
    describe: describeStripeFailure,
  };
}
