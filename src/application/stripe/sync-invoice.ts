import type { ProviderFailure } from '../ports/provider.js';
import type { StripeContext } from './stripe-context.js';

/** Reads the invoice from Stripe and books what changed; the failure, if it could not be read. */
export async function syncStripeInvoice(
  _context: StripeContext,
  invoiceId: string,
): Promise<ProviderFailure | undefined> {
  throw new Error(`invoice ${invoiceId} cannot be read yet`);
}
