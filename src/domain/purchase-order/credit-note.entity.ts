import type { Ref } from '@mikro-orm/core';
import { Check, Entity, ManyToOne, PrimaryKey, Property, Trigger } from '@mikro-orm/decorators/legacy';
import type { MinorUnits } from '../money.js';
import { PurchaseOrder } from './purchase-order.entity.js';

/** Lowers what a purchase order still owes, without money. */
@Entity({ tableName: 'credit_note' })
@Check({ name: 'credit_note_amount_minor_valid', expression: 'amount_minor >= 1 and amount_minor <= 999999999999999' })
@Check({ name: 'credit_note_reason_valid', expression: "reason <> '' and length(reason) <= 1000" })
@Trigger({
  name: 'credit_note_is_append_only',
  timing: 'before',
  events: ['update', 'delete'],
  body: `raise exception 'credit notes are append-only' using errcode = 'restrict_violation';`,
})
export class CreditNote {
  @PrimaryKey({ type: 'text' })
  id!: string;

  @ManyToOne(() => PurchaseOrder, { ref: true, deleteRule: 'restrict', index: true })
  purchaseOrder!: Ref<PurchaseOrder>;

  @Property({ type: 'bigint' })
  amountMinor!: MinorUnits;

  @Property({ type: 'text' })
  reason!: string;

  @Property({ type: 'text' })
  issuedBy!: string;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  createdAt!: Date;
}
