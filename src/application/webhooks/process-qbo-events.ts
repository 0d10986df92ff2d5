import { QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import { type WebhookEvent, WebhookEventState } from '../../domain/webhook/webhook-event.entity.js';
import { messageOf } from '../outcome.js';
import type { QboContext } from '../quickbooks/qbo-context.js';
import { settleEvents, takeDueEvents, type Verdict } from './event-states.js';
import { type ChangedObject, followChanges } from './follow-changes.js';
import { noteRefunds } from './note-refunds.js';

/**
 * Works off the due events of one QuickBooks company. Events about the same object are one piece of work, because
 * each only says that the object changed: what it is now is read from QuickBooks. Returns how many events were due.
 */
export async function processQboEvents(context: QboContext, realmId: string): Promise<number> {
  const due = await takeDueEvents(context, 'QBO', realmId);
  const objects = changedObjects(due);
  if (objects.length === 0) return 0;
  const connections = await context.em.fork().find(QboConnection, { realmId });
  const verdicts: ReadonlyMap<ChangedObject, Verdict>[] = [];
  for (const connection of connections) {
    verdicts.push(await followTogether(followChanges, context, connection, objects.filter(isBooked)));
    verdicts.push(await followTogether(noteRefunds, context, connection, objects.filter(isRefund)));
  }
  for (const object of objects) await settleEvents(context, object.events, verdictOf(object, verdicts));
  return due.length;
}

function changedObjects(events: readonly WebhookEvent[]): ChangedObject[] {
  const byObject = Map.groupBy(events, ({ entity, entityId }) => `${entity} ${entityId}`);
  return [...byObject.values()].flatMap((group) => {
    const [first] = group;
    return first ? [{ entity: first.entity, externalId: first.entityId, events: group }] : [];
  });
}

function isBooked({ entity }: ChangedObject): boolean {
  return entity === 'payment' || entity === 'invoice';
}

function isRefund({ entity }: ChangedObject): boolean {
  return entity === 'refundreceipt';
}

/** What cannot be followed together is tried in halves, until the one that is to blame stands alone. */
async function followTogether(
  follow: typeof followChanges,
  context: QboContext,
  connection: QboConnection,
  objects: readonly ChangedObject[],
): Promise<Map<ChangedObject, Verdict>> {
  try {
    return await follow(context, connection, objects);
  } catch (error) {
    const [first, ...others] = objects;
    if (!first) throw error;
    if (others.length === 0) {
      return new Map([[first, { state: 'FAILED', reason: messageOf(error) }]]);
    }
    const middle = Math.ceil(objects.length / 2);
    const lower = await followTogether(follow, context, connection, objects.slice(0, middle));
    const upper = await followTogether(follow, context, connection, objects.slice(middle));
    return new Map([...lower, ...upper]);
  }
}

/** A realm id may be connected as a sandbox and as a production company; the event does not say which. */
function verdictOf(object: ChangedObject, verdicts: readonly ReadonlyMap<ChangedObject, Verdict>[]): Verdict {
  if (verdicts.length === 0) return { state: WebhookEventState.IGNORED, reason: 'No connection has this realm id.' };
  if (!isBooked(object) && !isRefund(object)) {
    const reason = 'Only invoices, payments and refund receipts concern purchase orders.';
    return { state: WebhookEventState.IGNORED, reason };
  }
  const order = ['FAILED', 'POSTPONED', WebhookEventState.DONE, WebhookEventState.IGNORED];
  const [worst] = verdicts
    .flatMap((each) => each.get(object) ?? [])
    .toSorted((left, right) => order.indexOf(left.state) - order.indexOf(right.state));
  if (!worst) throw new Error(`nothing became of the events about ${object.entity} ${object.externalId}`);
  return worst;
}
