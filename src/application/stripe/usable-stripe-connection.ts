import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { StripeConnection, StripeConnectionStatus } from '../../domain/stripe/stripe-connection.entity.js';
import type { StripeContext } from './stripe-context.js';
import { newKeyNeeded, type StripeFailure } from './stripe-failure.js';

export type StripeConnectionCode = 'STRIPE_NOT_CONFIGURED' | 'RECONNECT_REQUIRED';

/** The connection of an invoice, or of the conference of an order without one; else why there is none to use. */
export async function usableStripeConnection(
  context: StripeContext,
  order: PurchaseOrder,
  invoice: Invoice | null,
): Promise<{ connection: StripeConnection } | { failure: StripeFailure<StripeConnectionCode> }> {
  const em = context.em.fork();
  const connection = invoice?.stripeConnection
    ? await em.findOneOrFail(StripeConnection, invoice.stripeConnection.id)
    : await em.findOne(StripeConnection, { conference: order.conference.id });
  return checkStripeConnection(context, connection);
}

/** The connection, or why it cannot be used. */
export function checkStripeConnection(
  context: StripeContext,
  connection: StripeConnection | null,
): { connection: StripeConnection } | { failure: StripeFailure<StripeConnectionCode> } {
  if (!connection) return notConfigured('This conference has no Stripe account: call configureStripe first.');
  if (connection.simulated && !context.allowsStripeSimulator) {
    return notConfigured(
      'This conference is connected to a simulator, which is not in use here: call configureStripe with a real key.',
    );
  }
  if (connection.status === StripeConnectionStatus.RECONNECT_REQUIRED) {
    return { failure: { code: 'RECONNECT_REQUIRED', message: newKeyNeeded(), path: [] } };
  }
  return { connection };
}

function notConfigured(message: string): { failure: StripeFailure<StripeConnectionCode> } {
  return { failure: { code: 'STRIPE_NOT_CONFIGURED', message, path: [] } };
}
