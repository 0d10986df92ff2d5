import { type QboCompanySettings, QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import { type ProviderResult, succeeded } from '../ports/provider.js';
import type { QboContext } from './qbo-context.js';

/** What must be known of a company before invoicing in it: read from QuickBooks once, then kept on the connection. */
export async function companySettings(
  context: QboContext,
  connection: QboConnection,
): Promise<ProviderResult<QboCompanySettings>> {
  if (connection.settings) return succeeded(connection.settings);
  const read = await context.accounting.readCompanySettings(connection.id);
  if (!read.ok) return read;
  const { serviceItemId, ...others } = read.value;
  const settings = { ...others, ...(serviceItemId !== undefined && { serviceItemId }) };
  await context.em.nativeUpdate(QboConnection, connection.id, { settings });
  return succeeded(settings, read.trace);
}

/** Makes the next invoice read the company's settings anew, because QuickBooks refused something built on them. */
export async function forgetCompanySettings(context: QboContext, connectionId: string): Promise<void> {
  await context.em.nativeUpdate(QboConnection, connectionId, { settings: null });
}
