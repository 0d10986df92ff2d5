import type { Ref } from '@mikro-orm/core';
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
import type { MinorUnits } from '../money.js';
import { PurchaseOrder } from './purchase-order.entity.js';

export enum PaymentMethod {
  WIRE = 'WIRE',
  ACH = 'ACH',
  CHECK = 'CHECK',
  CARD = 'CARD',
  STRIPE = 'STRIPE',
  QBO = 'QBO',
  OTHER = 'OTHER',
}

export enum PaymentSource {
  MANUAL = 'MANUAL',
  QBO = 'QBO',
  STRIPE = 'STRIPE',
}

/**
 * Money received. Rows are never changed or deleted: a mistake gets a `PaymentReversal`. A provider's payment is
 * identified by company, payment id, the invoice it was applied to, and a revision that grows when the provider edits
 * it: revision n + 1 can be inserted only after revision n was reversed.
 */
@Entity({ tableName: 'payment' })
@Index({ properties: ['purchaseOrder', 'paidOn', 'id'] })
@Index({ properties: ['providerCompany', 'providerInvoiceId'] })
@Unique({ properties: ['source', 'providerCompany', 'providerPaymentId', 'providerInvoiceId', 'revision'] })
@Check({ name: 'payment_amount_minor_valid', expression: 'amount_minor >= 1 and amount_minor <= 999999999999999' })
@Check({
  name: 'payment_provider_identity_check',
  expression: `(source = 'MANUAL' and num_nonnulls(provider_company, provider_payment_id, provider_invoice_id, revision) = 0)
    or (source <> 'MANUAL' and num_nulls(provider_company, provider_payment_id, provider_invoice_id, revision) = 0 and revision >= 1)`,
})
@Trigger({
  name: 'payment_is_append_only',
  timing: 'before',
  events: ['update', 'delete'],
  body: `raise exception 'payments are append-only; insert a payment_reversal' using errcode = 'restrict_violation';`,
})
@Trigger({
  name: 'payment_revision_follows_reversal',
  timing: 'before',
  events: ['insert'],
  body: `if new.revision > 1 and not exists (
      select 1 from payment previous join payment_reversal reversal on reversal.payment_id = previous.id
      where previous.source = new.source and previous.provider_company = new.provider_company
        and previous.provider_payment_id = new.provider_payment_id and previous.provider_invoice_id = new.provider_invoice_id
        and previous.revision = new.revision - 1)
    then raise exception 'revision % of a payment needs revision % reversed first', new.revision, new.revision - 1
      using errcode = 'restrict_violation';
    end if;
    return new;`,
})
@Trigger({
  name: 'payment_adds_up',
  timing: 'after',
  events: ['insert'],
  body: `update purchase_order set paid_minor = paid_minor + new.amount_minor where id = new.purchase_order_id;
    return null;`,
})
export class Payment {
  @PrimaryKey({ type: 'text' })
  id!: string;

  @ManyToOne(() => PurchaseOrder, { ref: true, deleteRule: 'restrict' })
  purchaseOrder!: Ref<PurchaseOrder>;

  @Property({ type: 'bigint' })
  amountMinor!: MinorUnits;

  @Enum({ items: () => PaymentMethod, columnType: 'text' })
  method!: PaymentMethod;

  @Enum({ items: () => PaymentSource, columnType: 'text' })
  source!: PaymentSource;

  /** Wire id, cheque number, the provider's reference number. */
  @Property({ type: 'text' })
  reference!: string;

  /** Calendar day the money arrived, as entered or as the provider dated it. */
  @Property({ type: 'string', columnType: 'date' })
  paidOn!: string;

  @Property({ type: 'text' })
  note!: string;

  /** QuickBooks: environment and realm id, e.g. `SANDBOX:123`. */
  @Property({ type: 'text', nullable: true })
  providerCompany: string | null = null;

  @Property({ type: 'text', nullable: true })
  providerPaymentId: string | null = null;

  /** The provider's id of the invoice the money was applied to. */
  @Property({ type: 'text', nullable: true })
  providerInvoiceId: string | null = null;

  @Property({ type: 'integer', nullable: true })
  revision: number | null = null;

  /** Who entered it: an API key's name, or `quickbooks`. */
  @Property({ type: 'text' })
  recordedBy!: string;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  createdAt!: Date;
}
