import type { EntityManager } from '@mikro-orm/postgresql';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { OperationState, ProviderOperation } from '../../domain/operation/provider-operation.entity.js';

/** The operation and the earlier ones for its order that were given up: what one of those made may turn up late. */
export async function unsettledSendings(
  em: EntityManager,
  operation: ProviderOperation,
): Promise<readonly ProviderOperation[]> {
  if (operation.generation === 1) return [operation];
  const { kind, subject } = operation;
  return em.find(ProviderOperation, { kind, subject, state: { $ne: OperationState.DONE } });
}

/** Of a company's invoices those that are not recorded for another invoice of ours. */
export async function withoutThoseOfOthers<Found extends { readonly externalId: string }>(
  em: EntityManager,
  { companyId, invoiceId }: { readonly companyId: string; readonly invoiceId: string },
  found: readonly Found[],
): Promise<readonly Found[]> {
  if (found.length === 0) return [];
  const externalIds = found.map(({ externalId }) => externalId);
  const taken = await em.find(Invoice, { id: { $ne: invoiceId }, companyId, externalId: { $in: externalIds } });
  return found.filter(({ externalId }) => !taken.some((invoice) => invoice.externalId === externalId));
}
