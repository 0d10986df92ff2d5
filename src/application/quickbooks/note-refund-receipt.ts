import type { EntityManager } from '@mikro-orm/postgresql';
import { formatAmount } from '../../domain/money.js';
import { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import type { QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import { audit } from '../audit.js';
import { asProvider } from '../context.js';
import type { ProviderRefundReceipt } from '../ports/accounting.js';
import type { ProviderTrace } from '../ports/provider.js';
import { lockExistingPurchaseOrder } from '../purchase-orders/purchase-order-ledger.js';
import { inTransaction } from '../transaction.js';
import type { QboContext } from './qbo-context.js';

const ACTION = 'refund_receipt.noted';

export interface ReadRefundReceipt {
  readonly receipt: ProviderRefundReceipt;
  /** Of the answer that showed it. */
  readonly trace: ProviderTrace | undefined;
}

/**
 * Writes to the audit trail of each purchase order that a refund receipt names that money was given back: once for each
 * revision of the receipt. It books nothing, because what was refunded is for people to say. Returns how many orders
 * of the company's conferences are named.
 */
export async function noteRefundReceipt(
  context: QboContext,
  connection: QboConnection,
  { receipt, trace }: ReadRefundReceipt,
): Promise<number> {
  const references = receipt.texts.flatMap((text) => text.toUpperCase().match(/\bPO-[A-Z0-9]{6}\b/g) ?? []);
  if (references.length === 0) return 0;
  const where = { reference: { $in: references }, conference: { qboConnection: connection } };
  const orders = await context.em.fork().find(PurchaseOrder, where, { orderBy: { id: 'asc' } });
  for (const { id } of orders) await inTransaction(context.em, (tx) => note(tx, context, id, { receipt, trace }));
  return orders.length;
}

async function note(
  tx: EntityManager,
  context: QboContext,
  subject: string,
  { receipt, trace }: ReadRefundReceipt,
): Promise<void> {
  const { externalId, syncToken, total, currency, refundedOn } = receipt;
  // Under the lock two workers cannot both find it missing.
  await lockExistingPurchaseOrder(tx, subject);
  const identity = { refundReceipt: externalId, revision: syncToken };
  const noted = await tx.execute(
    'select 1 from audit_event where subject = ? and action = ? and after @> ?::jsonb limit 1',
    [subject, ACTION, JSON.stringify(identity)],
  );
  if (noted.length > 0) return;
  const after = { ...identity, amount: `${formatAmount(total, currency)} ${currency}`, refundedOn };
  audit(tx, asProvider(context, 'QBO'), { action: ACTION, subject, after, trace });
}
