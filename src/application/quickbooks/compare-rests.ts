import type { EntityManager } from '@mikro-orm/postgresql';
import { InvoiceProvider } from '../../domain/invoice/invoice.status.js';
import { ProviderPaymentRecord } from '../../domain/invoice/provider-payment.entity.js';
import { ZERO } from '../../domain/money.js';
import { companyIdOf, type QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import type { Found, ProviderPayment } from '../ports/accounting.js';
import { type ProviderResult, succeeded } from '../ports/provider.js';
import type { QboContext } from './qbo-context.js';
import { readPayments } from './read-payments.js';

export interface RestsComparison {
  /** Those that are not as we have them; the unreadable ones may be. */
  readonly changed: Found<ProviderPayment>;
  readonly deletedIds: readonly string[];
}

/**
 * Looks at the payments of which a rest is applied to nothing, 500 in a read: what becomes of such a rest changes no
 * invoice of ours. Without any this costs no read.
 */
export async function compareRests(
  context: QboContext,
  connection: QboConnection,
): Promise<ProviderResult<RestsComparison>> {
  const stored = await paymentsWithRest(context.em, connection);
  const read = await readPayments(context, connection.id, [...stored.keys()]);
  if (!read.ok) return read;
  const { objects, unreadableIds } = read.value;
  const changed = objects.filter(({ externalId, syncToken, unapplied }) => {
    const record = stored.get(externalId);
    return record?.syncToken !== syncToken || record.unappliedMinor !== unapplied;
  });
  const present = new Set([...objects.map(({ externalId }) => externalId), ...unreadableIds]);
  const deletedIds = [...stored.keys()].filter((id) => !present.has(id));
  return succeeded({ changed: { objects: changed, unreadableIds }, deletedIds }, read.trace, read.asOf);
}

async function paymentsWithRest(
  em: EntityManager,
  connection: QboConnection,
): Promise<Map<string, ProviderPaymentRecord>> {
  const company = { provider: InvoiceProvider.QBO, companyId: companyIdOf(connection) };
  const records = await em.fork().find(ProviderPaymentRecord, { ...company, unappliedMinor: { $gt: ZERO } });
  return new Map(records.map((record) => [record.externalId, record]));
}
