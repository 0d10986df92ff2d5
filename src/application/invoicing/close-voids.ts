import type { EntityManager } from '@mikro-orm/postgresql';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceStatus } from '../../domain/invoice/invoice.status.js';
import { OperationKind, OperationState, ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import type { UseCaseContext } from '../context.js';
import { OPEN_STATES } from '../operations/provider-operations.js';

/** Of an invoice that is gone: a void of which no answer came was carried out, as a reading has shown. */
export async function closeVoids(
  tx: EntityManager,
  { clock }: Pick<UseCaseContext, 'clock'>,
  purchaseOrderId: string,
): Promise<void> {
  const now = clock.now();
  const { VOIDED, DELETED } = InvoiceStatus;
  const invoices = await tx.find(
    Invoice,
    { purchaseOrder: purchaseOrderId, status: { $in: [VOIDED, DELETED] } },
    { fields: ['id'] },
  );
  await tx.nativeUpdate(
    ProviderOperation,
    { kind: OperationKind.VOID_INVOICE, subject: { $in: invoices.map(({ id }) => id) }, state: { $in: OPEN_STATES } },
    { state: OperationState.DONE, leaseUntil: now, updatedAt: now },
  );
}
