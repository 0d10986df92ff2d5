import type { EntityManager } from '@mikro-orm/postgresql';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { companyIdOf, type QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import {
  type ClaimedInvoice as Claimed,
  type ClaimingProvider,
  type ClaimRequest,
  claimInvoice,
} from '../invoicing/claim-invoice.js';
import type { CreateQboInvoiceOutcome } from './create-qbo-invoice.outcome.js';
import type { QboContext } from './qbo-context.js';
import type { QboFailure } from './qbo-failure.js';
import { differences } from './record-invoice.js';
import { type ConnectionCode, usableConnection } from './usable-connection.js';

export type ClaimedInvoice = Claimed<QboConnection>;

/** See `claimInvoice`. */
export async function claimQboInvoice(
  tx: EntityManager,
  context: QboContext,
  request: ClaimRequest,
): Promise<{ readonly claimed: ClaimedInvoice } | { readonly answer: CreateQboInvoiceOutcome }> {
  const usable = (order: PurchaseOrder, live: Invoice | null) => usableConnection(context, order, live);
  const provider: ClaimingProvider<QboConnection, QboFailure<ConnectionCode | 'QBO_TOTAL_DIFFERS'>> = {
    provider: 'QBO',
    usable,
    companyIdOf,
    differences,
  };
  return claimInvoice(tx, context, provider, request);
}
