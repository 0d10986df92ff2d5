import type { Ref } from '@mikro-orm/core';
import { Check, Entity, OneToOne, PrimaryKey, Property, Trigger } from '@mikro-orm/decorators/legacy';
import { Payment } from './payment.entity.js';

/** Takes a payment back, whole and at most once (the payment is unique here). */
@Entity({ tableName: 'payment_reversal' })
@Check({ name: 'payment_reversal_reason_valid', expression: "reason <> '' and length(reason) <= 1000" })
@Trigger({
  name: 'payment_reversal_is_append_only',
  timing: 'before',
  events: ['update', 'delete'],
  body: `raise exception 'payment reversals are append-only' using errcode = 'restrict_violation';`,
})
@Trigger({
  name: 'payment_reversal_adds_up',
  timing: 'after',
  events: ['insert'],
  body: `update purchase_order set paid_minor = paid_minor - payment.amount_minor
    from payment where payment.id = new.payment_id and purchase_order.id = payment.purchase_order_id;
    return null;`,
})
export class PaymentReversal {
  @PrimaryKey({ type: 'text' })
  id!: string;

  @OneToOne(() => Payment, { ref: true, owner: true, deleteRule: 'restrict' })
  payment!: Ref<Payment>;

  @Property({ type: 'text' })
  reason!: string;

  @Property({ type: 'text' })
  reversedBy!: string;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  createdAt!: Date;
}
