import { Entity, PrimaryKey, Property, Unique } from '@mikro-orm/decorators/legacy';

/**
 * Which Stripe customer stands for an organisation and the address its invoices go to. The row is written before the
 * customer is created: its id is the idempotency key, so that two orders of one organisation make one customer.
 */
@Entity({ tableName: 'stripe_customer' })
@Unique({ properties: ['companyId', 'normalizedName', 'email'] })
export class StripeCustomer {
  @PrimaryKey({ type: 'text' })
  id!: string;

  /** See `accountCompanyId`. */
  @Property({ type: 'text' })
  companyId!: string;

  /** See `normalizeOrganizationName`. */
  @Property({ type: 'text' })
  normalizedName!: string;

  @Property({ type: 'text' })
  email!: string;

  /** Stripe's id, once known. */
  @Property({ type: 'text', nullable: true })
  externalId: string | null = null;

  /** The exact text to send. */
  @Property({ type: 'text' })
  body!: string;

  /** When it was first sent; Stripe remembers the idempotency key for a day. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  firstSentAt: Date | null = null;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  createdAt!: Date;
}
