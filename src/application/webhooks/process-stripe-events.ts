import { StripeConnection } from '../../domain/stripe/stripe-connection.entity.js';
import { WebhookEventState } from '../../domain/webhook/webhook-event.entity.js';
import type { StripeContext } from '../stripe/stripe-context.js';
import { settleEvents, takeDueEvents, type Verdict } from './event-states.js';
import { type ChangedObject, changedObjects } from './event-verdicts.js';
import { followStripeChanges } from './follow-stripe-changes.js';
import { followTogether } from './follow-together.js';

const GONE: Verdict = { state: WebhookEventState.IGNORED, reason: 'The connection that it came for is gone.' };

/** Works off the due events of one Stripe connection; the invoices are read from Stripe. Returns how many events were due. */
export async function processStripeEvents(context: StripeContext, connectionId: string): Promise<number> {
  const due = await takeDueEvents(context, 'STRIPE', connectionId);
  const objects = changedObjects(due);
  if (objects.length === 0) return 0;
  const populate = ['conference'] as const;
  const connection = await context.em.fork().findOne(StripeConnection, connectionId, { populate });
  const verdicts = connection
    ? await followTogether((share) => followStripeChanges(context, connection, share), objects)
    : new Map<ChangedObject, Verdict>();
  for (const object of objects) await settleEvents(context, object.events, verdicts.get(object) ?? GONE);
  return due.length;
}
