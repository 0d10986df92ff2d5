import type { Outcome } from '../../../application/outcome.js';
import type { GraphQLContext } from '../context.js';
import { presentPurchaseOrder } from '../purchase-order/purchase-order.type.js';
import { type ProviderFailureDetails, presentProviderFailures } from '../user-error.js';

/** What every mutation about the invoice of a purchase order answers. */
export async function invoicePayload(context: GraphQLContext, outcome: Outcome<ProviderFailureDetails>) {
  const view = outcome.id === null ? undefined : await context.loaders.purchaseOrder.load(outcome.id);
  return { purchaseOrder: view ? presentPurchaseOrder(view) : null, userErrors: presentProviderFailures(outcome) };
}
