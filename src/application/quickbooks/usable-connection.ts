import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { type QboConnection, QboConnectionStatus } from '../../domain/quickbooks/qbo-connection.entity.js';
import type { QboContext } from './qbo-context.js';
import { type QboFailure, reconnectMessage } from './qbo-failure.js';

export type ConnectionCode = 'QBO_NOT_CONFIGURED' | 'RECONNECT_REQUIRED';

/**
 * The connection to work with, or why it cannot be used: the one in whose company the order's invoice is, because its id
 * means another invoice elsewhere; without an invoice the conference's.
 */
export async function usableConnection(
  context: QboContext,
  order: PurchaseOrder,
  invoice: Invoice | null,
): Promise<{ connection: QboConnection } | { failure: QboFailure<ConnectionCode> }> {
  const conference = await order.conference.loadOrFail();
  return checkConnection(context, await (invoice?.qboConnection ?? conference.qboConnection)?.loadOrFail());
}

/** The connection, or why it cannot be used. */
export function checkConnection(
  context: QboContext,
  connection: QboConnection | undefined,
): { connection: QboConnection } | { failure: QboFailure<ConnectionCode> } {
  if (!connection) {
    return notConfigured('This conference is not connected to QuickBooks: call configureQboConnection first.');
  }
  if (connection.simulated && !context.allowsSimulators) {
    return notConfigured(
      'This conference is connected to a simulator, which is not in use here: call configureQboConnection with a real company.',
    );
  }
  if (connection.status === QboConnectionStatus.RECONNECT_REQUIRED) {
    return { failure: { code: 'RECONNECT_REQUIRED', message: reconnectMessage(''), path: [] } };
  }
  return { connection };
}

function notConfigured(message: string): { failure: QboFailure<ConnectionCode> } {
  return { failure: { code: 'QBO_NOT_CONFIGURED', message, path: [] } };
}
