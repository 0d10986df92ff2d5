import { type QboConnection, QboConnectionStatus } from '../../domain/quickbooks/qbo-connection.entity.js';
import { WebhookEventState } from '../../domain/webhook/webhook-event.entity.js';
import { isNotFound } from '../ports/provider.js';
import { noteRefundReceipt } from '../quickbooks/note-refund-receipt.js';
import type { QboContext } from '../quickbooks/qbo-context.js';
import type { Verdict } from './event-states.js';
import { type ChangedObject, failed, mustBeRenewed, untilReconnected } from './event-verdicts.js';

/** Notes the refund receipts that changed on the purchase orders they name. */
export async function noteRefunds(
  context: QboContext,
  connection: QboConnection,
  objects: readonly ChangedObject[],
): Promise<Map<ChangedObject, Verdict>> {
  const verdicts = new Map<ChangedObject, Verdict>();
  for (const object of objects) verdicts.set(object, await noteRefund(context, connection, object));
  return verdicts;
}

async function noteRefund(
  context: QboContext,
  connection: QboConnection,
  { externalId }: ChangedObject,
): Promise<Verdict> {
  if (connection.status === QboConnectionStatus.RECONNECT_REQUIRED) {
    return untilReconnected(context, mustBeRenewed('QBO'));
  }
  const read = await context.accounting.readRefundReceipt(connection.id, externalId);
  if (read.ok) {
    const named = await noteRefundReceipt(context, connection, { receipt: read.value, trace: read.trace });
    return named > 0 ? { state: WebhookEventState.DONE } : ignored('The refund receipt names no purchase order.');
  }
  const { failure } = read;
  return isNotFound(failure) ? ignored('The refund receipt was deleted.') : failed(context, failure);
}

function ignored(reason: string): Verdict {
  return { state: WebhookEventState.IGNORED, reason };
}
