import type { Ref } from '@mikro-orm/core';
import { Check, Entity, OneToOne, PrimaryKey, Property, Trigger } from '@mikro-orm/decorators/legacy';
import { CreditNote } from './credit-note.entity.js';

/** Takes a credit note back, whole and at most once (the credit note is unique here). */
@Entity({ tableName: 'credit_note_reversal' })
@Check({ name: 'credit_note_reversal_reason_valid', expression: "reason <> '' and length(reason) <= 1000" })
@Trigger({
  name: 'credit_note_reversal_is_append_only',
  timing: 'before',
  events: ['update', 'delete'],
  body: `raise exception 'credit note reversals are append-only' using errcode = 'restrict_violation';`,
})
@Trigger({
  name: 'credit_note_reversal_adds_up',
  timing: 'after',
  events: ['insert'],
  body: `update purchase_order set credited_minor = credited_minor - credit_note.amount_minor
    from credit_note where credit_note.id = new.credit_note_id and purchase_order.id = credit_note.purchase_order_id;
    return null;`,
})
export class CreditNoteReversal {
  @PrimaryKey({ type: 'text' })
  id!: string;

  @OneToOne(() => CreditNote, { ref: true, owner: true, deleteRule: 'restrict' })
  creditNote!: Ref<CreditNote>;

  @Property({ type: 'text' })
  reason!: string;

  @Property({ type: 'text' })
  reversedBy!: string;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  createdAt!: Date;
}
