import type { PreparationFailure } from '../invoicing/end-claim.js';
import type { BillingInvoiceDraft, PreparedInvoice } from '../ports/billing.js';
import type { ClaimedStripeInvoice } from './claim-stripe-invoice.js';
import type { CreateStripeInvoiceCode } from './create-stripe-invoice.outcome.js';
import { resolveStripeCustomer } from './resolve-stripe-customer.js';
import type { StripeContext } from './stripe-context.js';
import { describeStripeFailure, type StripeFailure } from './stripe-failure.js';

export type PreparedStripeInvoice =
  | { readonly body: string }
  | PreparationFailure<StripeFailure<CreateStripeInvoiceCode>>;

/**
 * Finds out which customer the invoice must name and words it; a body that was sent before stays as it was. Amounts that
 * Stripe cannot take are refused before it is called at all.
 */
export async function prepareStripeInvoice(
  context: StripeContext,
  claimed: ClaimedStripeInvoice,
): Promise<PreparedStripeInvoice> {
  const { operation, connection, order } = claimed;
  if (operation.body !== null) return { body: operation.body };
  const problem = await whyStripeCannotTake(context, claimed);
  if (problem) return { failure: problem, isFinal: true };
  const customer = await resolveStripeCustomer(context, { connection, order });
  if (!customer.ok) {
    return { failure: describeStripeFailure(customer.failure), isFinal: customer.failure.kind !== 'unknown' };
  }
  const draft = await draftOf(claimed, operation.id);
  const prepared = context.billing.prepareInvoice({ ...draft, customerExternalId: customer.value });
  return prepared.ok ? prepared : { failure: describe(prepared), isFinal: true };
}

/** Why Stripe cannot take the amounts or lines of the order, if it cannot. That depends neither on the customer nor on the operation. */
export async function whyStripeCannotTake(
  { billing }: StripeContext,
  invoice: Pick<ClaimedStripeInvoice, 'order' | 'connection'>,
): Promise<StripeFailure<UntakeableCode> | undefined> {
  const draft = await draftOf(invoice, NOT_KNOWN_YET);
  const check = billing.prepareInvoice({ ...draft, customerExternalId: NOT_KNOWN_YET });
  return check.ok ? undefined : describe(check);
}

const NOT_KNOWN_YET = 'unknown';

const CODES = {
  amount: 'STRIPE_AMOUNT_UNREPRESENTABLE',
  too_many_lines: 'STRIPE_TOO_MANY_LINES',
} as const;

type UntakeableCode = (typeof CODES)[keyof typeof CODES];

function describe({ reason, message }: Extract<PreparedInvoice, { ok: false }>): StripeFailure<UntakeableCode> {
  return { code: CODES[reason], message, path: ['purchaseOrderId'] };
}

async function draftOf(
  { order, connection }: Pick<ClaimedStripeInvoice, 'order' | 'connection'>,
  operationId: string,
): Promise<Omit<BillingInvoiceDraft, 'customerExternalId'>> {
  const { name, slug, timezone } = await order.conference.loadOrFail();
  const lines = await order.lineItems.loadItems();
  return {
    currency: order.currencyCode,
    reference: order.reference,
    buyerReference: order.buyerReference,
    organizationName: order.organizationName,
    contactName: order.contactName,
    billingAddress: order.billingAddress,
    conferenceName: name,
    conferenceSlug: slug,
    purchaseOrderId: order.id,
    operationId,
    dueDate: order.dueDate ?? undefined,
    timezone,
    daysUntilDue: connection.daysUntilDue,
    lines: lines.map(({ id, description, quantity, unitPriceMinor, lineTotalMinor }) => ({
      id,
      description,
      quantity,
      unitPrice: unitPriceMinor,
      amount: lineTotalMinor,
    })),
  };
}
