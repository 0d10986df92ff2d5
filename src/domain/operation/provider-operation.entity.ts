import type { Opt, Ref } from '@mikro-orm/core';
import {
  Check,
  Entity,
  Enum,
  Index,
  ManyToOne,
  PrimaryKey,
  Property,
  Trigger,
  Unique,
} from '@mikro-orm/decorators/legacy';
import type { ActorIdentity } from '../audit/actor.js';
import { QboConnection } from '../quickbooks/qbo-connection.entity.js';
import { StripeConnection } from '../stripe/stripe-connection.entity.js';

export enum OperationKind {
  CREATE_CUSTOMER = 'CREATE_CUSTOMER',
  CREATE_INVOICE = 'CREATE_INVOICE',
  SEND_INVOICE = 'SEND_INVOICE',
  VOID_INVOICE = 'VOID_INVOICE',
  /** Several of the others one after the other: void at one provider, create at the other. */
  SWITCH_PROVIDER = 'SWITCH_PROVIDER',
  /** An envelope: one request that carries several of `CREATE_INVOICE`, its members. */
  CREATE_INVOICES = 'CREATE_INVOICES',
}

export enum OperationState {
  /** Intended; nothing was sent yet. */
  CLAIMED = 'CLAIMED',
  /** Being sent, or its process died while sending. */
  IN_FLIGHT = 'IN_FLIGHT',
  DONE = 'DONE',
  /** Certainly not carried out; of customers and e-mails also: given up when nothing of it was found. */
  REFUSED = 'REFUSED',
  /** Nobody knows whether the provider carried it out. */
  UNKNOWN = 'UNKNOWN',
}

/** What an invoice is voided for, which is what follows once it is void. */
export enum VoidPurpose {
  CANCEL = 'CANCEL',
  SWITCH = 'SWITCH',
}

/**
 * A write to a provider, recorded before it is sent. Its id is the idempotency key the provider gets, so that sending
 * the stored body again is safe; after a refusal the next attempt is a new row with the next generation.
 */
@Entity({ tableName: 'provider_operation' })
@Unique({ properties: ['kind', 'subject', 'generation'] })
@Unique({
  name: 'provider_operation_one_open_per_subject',
  expression: `create unique index "provider_operation_one_open_per_subject" on "provider_operation" ("kind", "subject") where state in ('CLAIMED', 'IN_FLIGHT', 'UNKNOWN')`,
})
@Index({
  name: 'provider_operation_open',
  expression: `create index "provider_operation_open" on "provider_operation" ("lease_until") where state in ('CLAIMED', 'IN_FLIGHT', 'UNKNOWN')`,
})
@Check({
  name: 'provider_operation_one_connection',
  expression: 'num_nonnulls(qbo_connection_id, stripe_connection_id) = 1',
})
@Unique({ properties: ['envelope', 'envelopeItem'] })
@Check({ name: 'provider_operation_generation_valid', expression: 'generation >= 1' })
// Ten characters is what QuickBooks allows.
@Check({
  name: 'provider_operation_envelope_item_valid',
  expression: '(envelope_id is null) = (envelope_item is null) and length(envelope_item) <= 10',
})
@Check({ name: 'provider_operation_body_valid', expression: "body is not null or state in ('CLAIMED', 'REFUSED')" })
@Trigger({
  name: 'provider_operation_trouble_is_noted',
  timing: 'after',
  events: ['update'],
  body: `if new.kind = 'CREATE_INVOICE' and new.last_error is distinct from old.last_error then
      perform note_purchase_order_change(new.subject);
    end if;
    return null;`,
})
export class ProviderOperation {
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Enum({ items: () => OperationKind, columnType: 'text' })
  kind!: OperationKind;

  /** What it is about: a purchase order (create invoice, switch provider), an invoice (send, void), connection, name and currency (customer) or itself (envelope). */
  @Property({ type: 'text' })
  subject!: string;

  @Property({ type: 'integer' })
  generation!: number;

  @ManyToOne(() => QboConnection, { ref: true, nullable: true, deleteRule: 'restrict', index: true })
  qboConnection: Ref<QboConnection> | null = null;

  @ManyToOne(() => StripeConnection, { ref: true, nullable: true, deleteRule: 'restrict', index: true })
  stripeConnection: Ref<StripeConnection> | null = null;

  @Enum({ items: () => OperationState, columnType: 'text' })
  state!: OperationState;

  /** The exact text to send (of an e-mail, whose request has no body, the address); null until it is known. */
  @Property({ type: 'text', nullable: true })
  body: string | null = null;

  /**
   * Of an invoice that was sent together with others: in which request. As long as what became of that is not known, it is
   * sent in no other way, because no other key would tell the provider that it is the same.
   */
  @ManyToOne(() => ProviderOperation, { ref: true, nullable: true, deleteRule: 'restrict' })
  envelope: Ref<ProviderOperation> | null = null;

  /** By what it is called in its envelope, and in the answer. */
  @Property({ type: 'text', nullable: true })
  envelopeItem: string | null = null;

  /** Of a void only. */
  @Enum({ items: () => VoidPurpose, columnType: 'text', nullable: true })
  purpose: VoidPurpose | null = null;

  /** Who asked for it first, in whose name every process carries it out. Null: it is of the time before this was kept. */
  @Property({ type: 'json', columnType: 'jsonb', nullable: true })
  requestedBy: ActorIdentity | null = null;

  /** Until then its process is at work on it; afterwards anyone may take over. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  leaseUntil!: Date;

  /** The background does not go on with it before; who asks for it need not wait. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  resumeAt: Date | null = null;

  @Property({ type: 'integer' })
  attempts: Opt<number> = 0;

  /** When it was first sent; the provider surely remembers the idempotency key for some minutes from then. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  firstSentAt: Date | null = null;

  /** When it was last sent, unless certainly nothing came of it. A sending that never reached the provider is none. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  lastSentAt: Date | null = null;

  /** How often in a row the background could not find its outcome out; its next look waits the longer. */
  @Property({ type: 'integer' })
  lookUps: Opt<number> = 0;

  @Property({ type: 'text', nullable: true })
  lastError: string | null = null;

  /** Why the provider rejected it, e.g. `duplicate_number`; null unless it did. */
  @Property({ type: 'text', nullable: true })
  rejection: string | null = null;

  /** The provider's id of the last request (Intuit's `intuit_tid`, Stripe's `req_…`), which their support asks for. */
  @Property({ type: 'text', nullable: true })
  providerRequestId: string | null = null;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  createdAt!: Date;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  updatedAt!: Date;
}
