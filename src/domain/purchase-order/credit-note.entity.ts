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

export enum CreditNoteSource {
  MANUAL = 'MANUAL',
  QBO = 'QBO',
  STRIPE = 'STRIPE',
}

/**
 * Lowers what a purchase order still owes, without money. Rows are never changed or deleted. A provider's credit, e.g.
 * an applied credit memo, is identified like a payment, by the payment that links it with the invoice, and a
 * `CreditNoteReversal` takes it back: revision n + 1 can be inserted only after revision n was reversed.
 */
@Entity({ tableName: 'credit_note' })
@Index({ properties: ['providerCompany', 'providerInvoiceId'] })
@Unique({ properties: ['source', 'providerCompany', 'providerPaymentId', 'providerInvoiceId', 'revision'] })
@Check({ name: 'credit_note_amount_minor_valid', expression: 'amount_minor >= 1 and amount_minor <= 999999999999999' })
@Check({ name: 'credit_note_reason_valid', expression: "reason <> '' and length(reason) <= 1000" })
@Check({
  name: 'credit_note_provider_identity_check',
  expression: `(source = 'MANUAL' and num_nonnulls(provider_company, provider_payment_id, provider_invoice_id, revision) = 0)
    or (source <> 'MANUAL' and num_nulls(provider_company, provider_payment_id, provider_invoice_id, revision) = 0 and revision >= 1)`,
})
@Trigger({
  name: 'credit_note_is_append_only',
  timing: 'before',
  events: ['update', 'delete'],
  body: `raise exception 'credit notes are append-only' using errcode = 'restrict_violation';`,
})
@Trigger({
  name: 'credit_note_revision_follows_reversal',
  timing: 'before',
  events: ['insert'],
  body: `if new.revision > 1 and not exists (
      select 1 from credit_note previous join credit_note_reversal reversal on reversal.credit_note_id = previous.id
      where previous.source = new.source and previous.provider_company = new.provider_company
        and previous.provider_payment_id = new.provider_payment_id and previous.provider_invoice_id = new.provider_invoice_id
        and previous.revision = new.revision - 1)
    then raise exception 'revision % of a credit note needs revision % reversed first', new.revision, new.revision - 1
      using errcode = 'restrict_violation';
    end if;
    return new;`,
})
@Trigger({
  name: 'credit_note_adds_up',
  timing: 'after',
  events: ['insert'],
  body: `update purchase_order set credited_minor = credited_minor + new.amount_minor where id = new.purchase_order_id;
    return null;`,
})
export class CreditNote {
  @PrimaryKey({ type: 'text' })
  id!: string;

  @ManyToOne(() => PurchaseOrder, { ref: true, deleteRule: 'restrict', index: true })
  purchaseOrder!: Ref<PurchaseOrder>;

  @Property({ type: 'bigint' })
  amountMinor!: MinorUnits;

  @Enum({ items: () => CreditNoteSource, columnType: 'text' })
  source!: CreditNoteSource;

  @Property({ type: 'text' })
  reason!: string;

  /** QuickBooks: environment and realm id, e.g. `SANDBOX:123`. */
  @Property({ type: 'text', nullable: true })
  providerCompany: string | null = null;

  /** The payment that sets the credit against the invoice; it may bring money, too. */
  @Property({ type: 'text', nullable: true })
  providerPaymentId: string | null = null;

  /** The provider's id of the invoice the credit was applied to. */
  @Property({ type: 'text', nullable: true })
  providerInvoiceId: string | null = null;

  @Property({ type: 'integer', nullable: true })
  revision: number | null = null;

  /** Who entered it: an API key's name, or `quickbooks`. */
  @Property({ type: 'text' })
  issuedBy!: string;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  createdAt!: Date;
}
