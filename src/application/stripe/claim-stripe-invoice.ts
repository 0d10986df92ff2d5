import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { accountCompanyId, StripeConnection } from '../../domain/stripe/stripe-connection.entity.js';
import {
  type ClaimedInvoice,
  type ClaimingProvider,
  type ClaimRequest,
  claimInvoice,
} from '../invoicing/claim-invoice.js';
import type { CreateStripeInvoiceOutcome } from './create-stripe-invoice.outcome.js';
import { differences } from './record-stripe-invoice.js';
import type { StripeContext } from './stripe-context.js';
import type { StripeFailure } from './stripe-failure.js';
import { checkStripeConnection, type StripeConnectionCode } from './usable-stripe-connection.js';

export type ClaimedStripeInvoice = ClaimedInvoice<StripeConnection>;

/** See `claimInvoice`. */
export async function claimStripeInvoice(
  tx: EntityManager,
  context: StripeContext,
  request: ClaimRequest,
): Promise<{ readonly claimed: ClaimedStripeInvoice } | { readonly answer: CreateStripeInvoiceOutcome }> {
  const provider: ClaimingProvider<StripeConnection, StripeFailure<StripeConnectionCode | 'STRIPE_TOTAL_DIFFERS'>> = {
    provider: 'STRIPE',
    usable: async (order, live) => checkStripeConnection(context, await lockConnection(tx, order, live)),
    companyIdOf: accountCompanyId,
    differences,
  };
  return claimInvoice(tx, context, provider, request);
}

/** Locked, so that nobody moves the conference to another account before the claim can be seen. */
function lockConnection(
  tx: EntityManager,
  order: PurchaseOrder,
  live: Invoice | null,
): Promise<StripeConnection | null> {
  const wanted = live?.stripeConnection ? { id: live.stripeConnection.id } : { conference: order.conference.id };
  return tx.findOne(StripeConnection, wanted, { lockMode: LockMode.PESSIMISTIC_READ });
}
