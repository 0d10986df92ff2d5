import { QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import { WebhookEventState } from '../../domain/webhook/webhook-event.entity.js';
import type { QboContext } from '../quickbooks/qbo-context.js';
import { settleEvents, takeDueEvents, type Verdict } from './event-states.js';
import { type ChangedObject, changedObjects, worstOf } from './event-verdicts.js';
import { followChanges } from './follow-changes.js';
import { followTogether } from './follow-together.js';
import { noteRefunds } from './note-refunds.js';

/**
 * Works off the due events of one QuickBooks company. What the objects that changed are now is read from QuickBooks.
 * Returns how many events were due.
 */
export async function processQboEvents(context: QboContext, realmId: string): Promise<number> {
  const due = await takeDueEvents(context, 'QBO', realmId);
  const objects = changedObjects(due);
  if (objects.length === 0) return 0;
  const connections = await context.em.fork().find(QboConnection, { realmId });
  const verdicts: ReadonlyMap<ChangedObject, Verdict>[] = [];
  for (const connection of connections) {
    for (const [follow, concerns] of FOLLOWERS) {
      verdicts.push(await followTogether((share) => follow(context, connection, share), objects.filter(concerns)));
    }
  }
  for (const object of objects) await settleEvents(context, object.events, verdictOf(object, verdicts));
  return due.length;
}

function isBooked({ entity }: ChangedObject): boolean {
  return entity === 'payment' || entity === 'invoice';
}

function isRefund({ entity }: ChangedObject): boolean {
  return entity === 'refundreceipt';
}

const FOLLOWERS = [
  [followChanges, isBooked],
  [noteRefunds, isRefund],
] as const;

/** A realm id may be connected as a sandbox and as a production company; the event does not say which. */
function verdictOf(object: ChangedObject, verdicts: readonly ReadonlyMap<ChangedObject, Verdict>[]): Verdict {
  if (verdicts.length === 0) return { state: WebhookEventState.IGNORED, reason: 'No connection has this realm id.' };
  if (!isBooked(object) && !isRefund(object)) {
    const reason = 'Only invoices, payments and refund receipts concern purchase orders.';
    return { state: WebhookEventState.IGNORED, reason };
  }
  const worst = worstOf(verdicts.flatMap((each) => each.get(object) ?? []));
  if (!worst) throw new Error(`nothing became of the events about ${object.entity} ${object.externalId}`);
  return worst;
}
