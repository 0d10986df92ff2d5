import type { Opt, Ref } from '@mikro-orm/core';
import { Check, Entity, Enum, Index, OneToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Conference } from '../conference/conference.entity.js';

export enum StripeConnectionStatus {
  CONNECTED = 'CONNECTED',
  /** Stripe refuses the secret key: a person must bring another one. */
  RECONNECT_REQUIRED = 'RECONNECT_REQUIRED',
}

/** Stripe's ids of accounts. */
export const ACCOUNT_ID = /^acct_[A-Za-z0-9]{1,64}$/;

/** A conference's access to a Stripe account. Two conferences may use one account, each with a key and an endpoint of its own. */
@Entity({ tableName: 'stripe_connection' })
@Index({ properties: ['accountId'] })
@Check({ name: 'stripe_connection_days_until_due_valid', expression: 'days_until_due >= 0 and days_until_due <= 365' })
@Check({ name: 'stripe_connection_account_id_valid', expression: `account_id ~ '${ACCOUNT_ID.source}'` })
export class StripeConnection {
  @PrimaryKey({ type: 'text' })
  id!: string;

  @OneToOne(() => Conference, { ref: true, deleteRule: 'restrict' })
  conference!: Ref<Conference>;

  @Property({ type: 'text' })
  accountId!: string;

  @Property({ type: 'text' })
  accountName!: string;

  /** False: a test key, whose invoices nobody really pays. */
  @Property({ type: 'boolean' })
  liveMode!: boolean;

  /** The endpoint that answered when it was configured said it is a simulator. */
  @Property({ type: 'boolean' })
  simulated!: boolean;

  @Enum({ items: () => StripeConnectionStatus, columnType: 'text' })
  status!: StripeConnectionStatus;

  /** Sealed. Loaded only when a query asks for it by name. */
  @Property({ type: 'text', lazy: true, hidden: true })
  secretKey!: string;

  /** Sealed: the signing secrets of the webhook endpoint, comma-separated, any of which may match (rotation). */
  @Property({ type: 'text', lazy: true, hidden: true })
  webhookSecret!: string;

  @Property({ type: 'text', nullable: true })
  publishableKey: string | null = null;

  /** Of an invoice whose purchase order says no day. */
  @Property({ type: 'integer' })
  daysUntilDue!: number;

  /** The latest event of Stripe up to which the sweep has seen everything; null before the first one. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  sweptUntil: Date | null = null;

  /** When the next sweep is due. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  sweepDueAt!: Date;

  /** Why the last sweep failed; null when it did not. */
  @Property({ type: 'text', nullable: true })
  sweepError: Opt<string> | null = null;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  createdAt!: Date;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  updatedAt!: Date;
}

/** Under which invoices and payments know the account, e.g. `TEST:acct_1A2b3C`. */
export function accountCompanyId({ liveMode, accountId }: Pick<StripeConnection, 'liveMode' | 'accountId'>): string {
  return `${liveMode ? 'LIVE' : 'TEST'}:${accountId}`;
}
