import type { Opt } from '@mikro-orm/core';
import { Check, Entity, Enum, Index, PrimaryKey, Property, Unique } from '@mikro-orm/decorators/legacy';

export enum WebhookEventState {
  /** Waits for its next attempt. */
  RECEIVED = 'RECEIVED',
  /** A worker that holds the lock of the company is at work on it, or died while it was. */
  PROCESSING = 'PROCESSING',
  DONE = 'DONE',
  IGNORED = 'IGNORED',
  DEAD = 'DEAD',
}

/** A provider's notification. The stored row is the work; jobs only wake the worker up. */
@Entity({ tableName: 'webhook_event' })
// Two conferences may share an account at Stripe: each one's endpoint gets the event.
@Unique({ properties: ['provider', 'companyId', 'eventId'] })
// For lists, newest first: of everything, and of one company.
@Index({ properties: ['receivedAt', 'id'] })
@Index({ properties: ['companyId', 'receivedAt', 'id'] })
@Index({
  name: 'webhook_event_pending',
  expression: `create index "webhook_event_pending" on "webhook_event" ("provider", "company_id", "received_at", "id") where state in ('RECEIVED', 'PROCESSING')`,
})
// Of the states in which nothing happens any more; an event that comes in costs it nothing.
@Index({
  name: 'webhook_event_settled',
  expression: `create index "webhook_event_settled" on "webhook_event" ("state", "received_at", "id") where state in ('DONE', 'IGNORED', 'DEAD')`,
})
@Index({
  name: 'webhook_event_finished',
  expression: `create index "webhook_event_finished" on "webhook_event" ("processed_at") where state in ('DONE', 'IGNORED')`,
})
@Check({
  name: 'webhook_event_processed_check',
  expression: "(state in ('DONE', 'IGNORED')) = (processed_at is not null)",
})
@Check({ name: 'webhook_event_attempts_valid', expression: 'attempts >= 0' })
export class WebhookEvent {
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Property({ type: 'text' })
  provider!: string;

  /** The provider's id of the event, or one derived from its content. */
  @Property({ type: 'text' })
  eventId!: string;

  @Property({ type: 'text' })
  companyId!: string;

  @Property({ type: 'text' })
  entity!: string;

  @Property({ type: 'text' })
  entityId!: string;

  @Property({ type: 'text' })
  operation!: string;

  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  occurredAt: Date | null = null;

  @Property({ type: 'json', columnType: 'jsonb' })
  payload!: unknown;

  @Enum({ items: () => WebhookEventState, columnType: 'text' })
  state!: WebhookEventState;

  @Property({ type: 'integer' })
  attempts: Opt<number> = 0;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  nextAttemptAt!: Date;

  /** Why it was ignored, or what went wrong at the last attempt. */
  @Property({ type: 'text', nullable: true })
  lastError: string | null = null;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  receivedAt!: Date;

  /** Taken from the sequence that numbers readings: a reading with a higher number began after the event was here. */
  @Property({ type: 'bigint', nullable: true })
  arrivalNumber: bigint | null = null;

  /** When it was done or ignored. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  processedAt: Date | null = null;
}
