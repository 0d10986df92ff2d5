import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { z } from 'zod';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceProvider } from '../../domain/invoice/invoice.status.js';
import { OperationKind, ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import { findOpenOperation, OPEN_STATES } from '../operations/provider-operations.js';

/** The void of this invoice and the switch of its purchase order that are not settled, locked. One statement. */
export async function findOpenSwitchAndVoid(
  tx: EntityManager,
  { id, purchaseOrder }: Invoice,
): Promise<{ readonly voiding: ProviderOperation | undefined; readonly switching: ProviderOperation | undefined }> {
  const { VOID_INVOICE, SWITCH_PROVIDER } = OperationKind;
  const subjects = [
    { kind: VOID_INVOICE, subject: id },
    { kind: SWITCH_PROVIDER, subject: purchaseOrder.id },
  ];
  const open = await tx.find(
    ProviderOperation,
    { $or: subjects, state: { $in: OPEN_STATES } },
    { lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  return {
    voiding: open.find(({ kind }) => kind === VOID_INVOICE),
    switching: open.find(({ kind }) => kind === SWITCH_PROVIDER),
  };
}

export const BEING_SWITCHED = {
  code: 'IN_PROGRESS',
  message: 'The purchase order is being moved to another provider right now; ask again in a few seconds.',
  path: ['purchaseOrderId'],
} as const;

/** The provider to which the order is being moved, if it is. */
export async function switchTargetOf(tx: EntityManager, purchaseOrderId: string): Promise<InvoiceProvider | undefined> {
  const open = await findOpenOperation(tx, OperationKind.SWITCH_PROVIDER, purchaseOrderId);
  return open ? targetOf(open) : undefined;
}

const switchBody = z.object({ to: z.enum(InvoiceProvider) });

/** What a switch stores of itself. */
export function switchTo(provider: `${InvoiceProvider}`): string {
  return JSON.stringify({ to: provider });
}

/** The provider that a switch leads to. */
export function targetOf({ body }: ProviderOperation): InvoiceProvider {
  return switchBody.parse(JSON.parse(String(body))).to;
}
