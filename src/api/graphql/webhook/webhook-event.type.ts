import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { WebhookEventView } from '../../../application/queries/webhook-events.js';
import { InvoiceProvider } from '../../../domain/invoice/invoice.status.js';
import { WebhookEventState } from '../../../domain/webhook/webhook-event.entity.js';
import { connectionType } from '../connection.js';
import { Node } from '../node/node.type.js';
import { DateTime } from '../scalars.js';

registerEnumType(WebhookEventState, {
  name: 'WebhookEventState',
  description: "What became of a provider's notification.",
  valuesConfig: {
    RECEIVED: { description: 'It waits for `nextAttemptAt`; `lastError` says why, unless it is new.' },
    PROCESSING: { description: 'A worker is at work on it. Should the worker die, the next one takes it again.' },
    DONE: { description: 'What changed was read, and booked if it was money.' },
    IGNORED: { description: 'It concerns none of our invoices, or could not be read; see `lastError`.' },
    DEAD: { description: 'It failed again and again: remove the cause in `lastError`, then replay it.' },
  },
});

@ObjectType('WebhookEvent', {
  implements: Node,
  description: "A provider's notification that something changed. What it is now is read from the provider.",
})
export class WebhookEventType extends Node {
  @Field(() => InvoiceProvider, { description: 'Who sent it.' })
  provider!: string;

  @Field(() => String, {
    description: 'The company it is about, of Stripe the id of the connection; empty when it could not be read.',
  })
  realmId!: string;

  @Field(() => String, { description: 'What kind of object changed, e.g. `payment`; empty when it could not be read.' })
  entity!: string;

  @Field(() => String, { description: "The provider's id of that object; empty when it could not be read." })
  entityId!: string;

  @Field(() => String, { description: 'What happened to it, e.g. `updated`; empty when it could not be read.' })
  operation!: string;

  @Field(() => WebhookEventState, { description: 'What became of it.' })
  state!: WebhookEventState;

  @Field(() => Int, { description: 'How often it failed. After 20 failures it is `DEAD`.' })
  attempts!: number;

  @Field(() => String, {
    nullable: true,
    description: 'Why it waits, was ignored or is dead; null for a new one and one that is done.',
  })
  lastError!: string | null;

  @Field(() => DateTime, { nullable: true, description: 'When it happened there; null when the provider did not say.' })
  occurredAt!: Date | null;

  @Field(() => DateTime, { description: 'When it was stored here.' })
  receivedAt!: Date;

  @Field(() => DateTime, { nullable: true, description: 'When it is tried next; null unless it is `RECEIVED`.' })
  nextAttemptAt!: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'When it became `DONE` or `IGNORED`.' })
  processedAt!: Date | null;
}

export const WebhookEventConnection = connectionType('WebhookEvent', WebhookEventType);

export function presentWebhookEvent(event: WebhookEventView): WebhookEventType {
  return Object.assign(new WebhookEventType(), {
    id: event.id,
    provider: event.provider,
    realmId: event.companyId,
    entity: event.entity,
    entityId: event.entityId,
    operation: event.operation,
    state: event.state,
    attempts: event.attempts,
    lastError: event.lastError,
    occurredAt: event.occurredAt,
    receivedAt: event.receivedAt,
    nextAttemptAt: event.state === WebhookEventState.RECEIVED ? event.nextAttemptAt : null,
    processedAt: event.processedAt,
  });
}
