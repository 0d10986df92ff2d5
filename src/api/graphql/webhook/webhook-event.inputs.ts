import { ArgsType, Field, ID, InputType, ObjectType } from 'type-graphql';
import type { ReplayWebhookEventsCode } from '../../../application/webhooks/replay-webhook-events.js';
import { InvoiceProvider } from '../../../domain/invoice/invoice.status.js';
import { WebhookEventState } from '../../../domain/webhook/webhook-event.entity.js';
import { ConnectionArgs } from '../connection.js';
import { DateTime } from '../scalars.js';
import { commonCodes, type UserError, userErrorType } from '../user-error.js';
import { WebhookEventType } from './webhook-event.type.js';

@InputType({ description: 'Which events to list; everything given must hold.' })
export class WebhookEventFilter {
  @Field(() => [WebhookEventState], { nullable: true, description: 'In one of these states.' })
  stateIn?: WebhookEventState[] | null;

  @Field(() => InvoiceProvider, { nullable: true, description: 'Sent by this provider.' })
  provider?: InvoiceProvider | null;

  @Field(() => String, { nullable: true, description: 'About this company; of Stripe the id of the connection.' })
  realmId?: string | null;

  @Field(() => DateTime, { nullable: true, description: 'Stored at this time or later.' })
  receivedAfter?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'Stored before this time.' })
  receivedBefore?: Date | null;
}

@ArgsType()
export class WebhookEventsArgs extends ConnectionArgs {
  @Field(() => WebhookEventFilter, { nullable: true, description: 'Which ones.' })
  filter?: WebhookEventFilter;
}

@InputType({ description: 'The events to try again: give either `ids` or `deadOfRealmId`.' })
export class ReplayWebhookEventsInput {
  @Field(() => [ID], { nullable: true, description: '1 to 100 events in any state but `PROCESSING`.' })
  ids?: string[] | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The events of this company, or Stripe connection, that are `DEAD`, the oldest hundred; see `hasMore`.',
  })
  deadOfRealmId?: string | null;
}

const ReplayWebhookEventsUserError = userErrorType<ReplayWebhookEventsCode>('ReplayWebhookEvents', {
  INVALID: commonCodes.INVALID,
  NOT_FOUND: 'There is no event with the id at `path`.',
  IN_PROGRESS: 'A worker is at work on the event at `path`.',
  UNREADABLE: 'The notification at `path` could not be read, so there is nothing to try.',
});

@ObjectType({ description: 'Result of `replayWebhookEvents`.' })
export class ReplayWebhookEventsPayload {
  @Field(() => [WebhookEventType], {
    nullable: true,
    description:
      'The events that are tried again, oldest first, also when others were refused; null when none was tried.',
  })
  events?: WebhookEventType[] | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'With `deadOfRealmId`: more events of that company are dead; call again. Null when nothing was tried.',
  })
  hasMore?: boolean | null;

  @Field(() => [ReplayWebhookEventsUserError], { description: 'Empty on success; one for each event refused.' })
  userErrors!: UserError[];
}
