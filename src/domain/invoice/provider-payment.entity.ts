import { Check, Entity, Enum, PrimaryKey, Property, Trigger, Unique } from '@mikro-orm/decorators/legacy';
import type { CurrencyCode } from '../currency.js';
import type { MinorUnits } from '../money.js';
import { InvoiceProvider } from './invoice.status.js';

export enum ProviderPaymentStatus {
  STANDING = 'STANDING',
  VOIDED = 'VOIDED',
  DELETED = 'DELETED',
}

/**
 * What a provider last said of a payment that is or was applied to an invoice of ours. It moves no balance, the
 * bookings do; it tells what rest of the payment is applied to nothing.
 */
@Entity({ tableName: 'provider_payment' })
@Unique({ properties: ['provider', 'companyId', 'externalId'] })
@Check({
  name: 'provider_payment_amounts_valid',
  expression:
    'total_minor >= 0 and unapplied_minor >= 0 and total_minor <= 999999999999999 and unapplied_minor <= 999999999999999',
})
@Check({
  name: 'provider_payment_unapplied_since_check',
  expression: '(unapplied_minor > 0) = (unapplied_since is not null)',
})
@Check({ name: 'provider_payment_ended_check', expression: "status = 'STANDING' or unapplied_minor = 0" })
@Check({ name: 'provider_payment_currency_code_valid', expression: "currency_code ~ '^[A-Z]{3}$'" })
@Trigger({
  name: 'provider_payment_rest_is_noted',
  timing: 'after',
  events: ['insert', 'update'],
  body: `if old is null or new.unapplied_minor <> old.unapplied_minor then
      perform note_purchase_order_change(purchase_order_id) from (
        select purchase_order_id from payment
        where source = new.provider and provider_company = new.company_id and provider_payment_id = new.external_id
        union
        select purchase_order_id from credit_note
        where source = new.provider and provider_company = new.company_id and provider_payment_id = new.external_id
      ) as booked;
    end if;
    return null;`,
})
export class ProviderPaymentRecord {
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Enum({ items: () => InvoiceProvider, columnType: 'text' })
  provider!: InvoiceProvider;

  /** As in `Invoice`: within it external ids are unique. */
  @Property({ type: 'text' })
  companyId!: string;

  @Property({ type: 'text' })
  externalId!: string;

  @Enum({ items: () => ProviderPaymentStatus, columnType: 'text' })
  status!: ProviderPaymentStatus;

  @Property({ type: 'text', length: 3 })
  currencyCode!: CurrencyCode;

  /** Money received. Zero when it only applies credit, and once it is voided. */
  @Property({ type: 'bigint' })
  totalMinor!: MinorUnits;

  /** The part of the money that is applied to nothing. */
  @Property({ type: 'bigint' })
  unappliedMinor!: MinorUnits;

  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  unappliedSince: Date | null = null;

  /** Calendar day, as the provider dated it. */
  @Property({ type: 'string', columnType: 'date' })
  paidOn!: string;

  /** QuickBooks' version counter: an answer with a lower one is older than what is stored. */
  @Property({ type: 'text' })
  syncToken!: string;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  createdAt!: Date;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  updatedAt!: Date;
}
