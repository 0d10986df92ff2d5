import { type QboCompanySettings, QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import { type ProviderResult, succeeded } from '../ports/provider.js';
import type { QboContext } from './qbo-context.js';

/**
 * What must be known of a company before invoicing in it: read from QuickBooks once, then kept on the connection. Stale
 * settings are good enough while reads are paused: a used-up quota must not end invoicing for the rest of a month.
 */
export async function companySettings(
  context: QboContext,
  connection: QboConnection,
): Promise<ProviderResult<QboCompanySettings>> {
  const { settings: known } = connection;
  if (known && !known.isStale) return succeeded(known);
  const read = await context.accounting.readCompanySettings(connection.id);
  if (!read.ok) {
    const isPaused = read.failure.kind === 'unavailable' && read.failure.isPaused === true;
    return known && isPaused ? succeeded(known) : read;
  }
  const { serviceItemId, ...others } = read.value;
  const settings = { ...others, ...(serviceItemId !== undefined && { serviceItemId }) };
  await context.em.nativeUpdate(QboConnection, connection.id, { settings });
  return succeeded(settings, read.trace);
}

/** Makes the next invoice read the company's settings anew, because QuickBooks refused something built on them. */
export async function markSettingsStale({ em }: QboContext, connectionId: string): Promise<void> {
  await em.execute(`update qbo_connection set settings = settings || '{"isStale": true}' where id = ?`, [connectionId]);
}
