import { Entity, Index, PrimaryKey, Property, Trigger } from '@mikro-orm/decorators/legacy';
import { noteChangeOf } from '../purchase-order/purchase-order-change.entity.js';

/** Who changed what, with the state before and after. Append-only. */
@Entity({ tableName: 'audit_event' })
@Index({ properties: ['subject', 'id'] })
@Trigger({
  name: 'audit_event_is_append_only',
  timing: 'before',
  events: ['update', 'delete'],
  body: `raise exception 'audit events are append-only' using errcode = 'restrict_violation';`,
})
@Trigger({
  name: 'audit_event_is_noted',
  timing: 'after',
  events: ['insert'],
  body: noteChangeOf('new.subject'),
})
export class AuditEvent {
  @PrimaryKey({ type: 'text' })
  id!: string;

  /** An API key's name, or the system part that acted (`quickbooks`). */
  @Property({ type: 'text' })
  actor!: string;

  /** What was done, in the past tense: `payment.recorded`. */
  @Property({ type: 'text' })
  action!: string;

  /** Id of the purchase order, conference, connection or webhook event. */
  @Property({ type: 'text' })
  subject!: string;

  @Property({ type: 'json', columnType: 'jsonb', nullable: true })
  before: unknown = null;

  @Property({ type: 'json', columnType: 'jsonb', nullable: true })
  after: unknown = null;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  occurredAt!: Date;
}
