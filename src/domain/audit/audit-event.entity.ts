import { Check, Entity, Enum, PrimaryKey, Property, Trigger, Unique } from '@mikro-orm/decorators/legacy';
import { noteChangeOf } from '../purchase-order/purchase-order-change.entity.js';
import { ActorKind } from './actor.js';

/**
 * Who changed what, with the state before and after. Append-only. The events of a purchase order form a chain: each has
 * the position behind the one before, and a hash over itself and that one's hash. So nobody alters, removes or inserts
 * one without `npm run audit:verify` telling. The trigger works under the lock of the order, which whoever writes such
 * an event holds already; a new order, whose row may come after its first event, nobody else knows yet.
 */
@Entity({ tableName: 'audit_event' })
@Unique({ properties: ['subject', 'position'] })
@Check({
  name: 'audit_event_chain_check',
  expression:
    '(position is null) = (hash is null) and (previous_hash is not null) = (coalesce(position, 1) > 1) and position >= 1',
})
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
@Trigger({
  name: 'audit_event_extends_chain',
  timing: 'before',
  events: ['insert'],
  body: `new.position := null;
    new.previous_hash := null;
    new.hash := null;
    if starts_with(new.subject, 'po_') then
      perform from purchase_order where id = new.subject for no key update;
      select head.position, head.hash into new.position, new.previous_hash
      from audit_event head where head.subject = new.subject order by head.position desc limit 1;
      new.position := coalesce(new.position, 0) + 1;
      new.hash := encode(sha256(convert_to(jsonb_build_array(
        new.position, new.previous_hash, new.id, new.actor_id, new.actor, new.actor_kind, new.action, new.subject,
        new.before::text, new.after::text, new.provider_request_id,
        to_char(new.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))::text, 'UTF8')), 'hex');
    end if;
    return new;`,
})
export class AuditEvent {
  @PrimaryKey({ type: 'text' })
  id!: string;

  /**
   * Who it is, for ever: the id of an API key, `jwt:` and the subject of a token, or `system`. `unknown` in events of the
   * time before ids were kept, when no key tells by its name.
   */
  @Property({ type: 'text' })
  actorId!: string;

  /** What it was called: an API key's or a person's name, or the system part that acted (`quickbooks`). */
  @Property({ type: 'text' })
  actor!: string;

  @Enum({ items: () => ActorKind, columnType: 'text' })
  actorKind!: ActorKind;

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

  /** The provider's id of the request (Intuit's `intuit_tid`, Stripe's `req_…`) whose answer caused it, if one did. */
  @Property({ type: 'text', nullable: true })
  providerRequestId: string | null = null;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  occurredAt!: Date;

  /** Where it stands in the chain of its purchase order, from 1; null for other subjects. The database says. */
  @Property({ type: 'integer', nullable: true })
  position: number | null = null;

  /** The hash of the event before it in the chain; null for the first. */
  @Property({ type: 'text', nullable: true })
  previousHash: string | null = null;

  /** SHA-256 over everything else in the row, hexadecimal. */
  @Property({ type: 'text', nullable: true })
  hash: string | null = null;
}
