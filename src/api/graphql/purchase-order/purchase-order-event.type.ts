import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { PurchaseOrderEventView } from '../../../application/queries/purchase-order-history.js';
import { PurchaseOrderAction } from '../../../domain/audit/purchase-order-action.js';
import { InvoiceProvider } from '../../../domain/invoice/invoice.status.js';
import { Actor } from '../actor.type.js';
import { connectionType } from '../connection.js';
import { DateTime } from '../scalars.js';

registerEnumType(PurchaseOrderAction, {
  name: 'PurchaseOrderAction',
  description: 'What can happen to a purchase order.',
  valuesConfig: {
    PURCHASE_ORDER_CREATED: { description: 'It was created.' },
    PURCHASE_ORDER_SENT: { description: 'It was marked as sent to the buyer.' },
    PURCHASE_ORDER_CANCELLED: { description: 'It was cancelled for good.' },
    INVOICE_CREATED: { description: 'The provider made its invoice.' },
    INVOICE_EMAILED: { description: 'The provider e-mailed its invoice.' },
    INVOICE_CHANGED_AT_PROVIDER: {
      description: 'Someone edited, voided, deleted or gave up its invoice at the provider.',
    },
    INVOICE_VOID_REQUESTED: { description: 'Its invoice is to be voided: it is cancelled, or invoiced elsewhere.' },
    INVOICE_VOIDED: { description: 'We had the provider void its invoice.' },
    INVOICE_SWITCH_REQUESTED: { description: 'Its invoice is to be replaced by one at the other provider.' },
    INVOICE_SWITCH_GIVEN_UP: { description: 'Its invoice is not replaced, because that was refused.' },
    INVOICE_SWITCHED: { description: 'Its invoice is now at the other provider.' },
    PAYMENT_RECORDED: { description: 'A payment was entered by hand.' },
    PAYMENT_REVERSED: { description: 'A payment that was entered by hand was taken back.' },
    PAYMENTS_BOOKED_FROM_PROVIDER: {
      description:
        'Payments and credits of the provider were booked, changed or taken back: `payments.…` and `credits.…` by their ids there.',
    },
    CREDIT_NOTE_ISSUED: { description: 'A credit note was entered by hand.' },
    REFUND_RECEIPT_NOTED: { description: 'Money was given back in QuickBooks by a receipt that names it.' },
  },
});

@ObjectType({ description: 'A fact before and after something happened.', simpleResolvers: true })
export class FactChange {
  @Field(() => String, { description: 'Which fact, as `status` or `payments.123`.' })
  field!: string;

  @Field(() => String, {
    nullable: true,
    description: 'What it was, amounts as decimal text; null: it was not there, or it is told for the first time.',
  })
  before!: string | null;

  @Field(() => String, { nullable: true, description: 'What it became; null: it is gone.' })
  after!: string | null;
}

@ObjectType('PurchaseOrderEvent', {
  description: 'Something that happened to a purchase order.',
  simpleResolvers: true,
})
export class PurchaseOrderEventType {
  @Field(() => Int, { description: 'Its place in the history, from 1 for the oldest.' })
  position!: number;

  @Field(() => DateTime, { description: 'When it was written down here.' })
  at!: Date;

  @Field(() => Actor, { description: 'Who or what did it, or found out.' })
  actor!: Actor;

  @Field(() => PurchaseOrderAction, { description: 'What it was.' })
  action!: PurchaseOrderAction;

  @Field(() => [FactChange], { description: 'What changed, and what else was written down.' })
  changes!: readonly FactChange[];

  @Field(() => InvoiceProvider, { nullable: true, description: 'Where the invoice is that it is about; null: none.' })
  provider!: InvoiceProvider | null;

  @Field(() => String, { nullable: true, description: "The provider's id of that invoice." })
  providerInvoiceId!: string | null;

  @Field(() => [String], { description: "The provider's ids of the payments and credits that it is about." })
  providerPaymentIds!: readonly string[];

  @Field(() => String, {
    nullable: true,
    description:
      "The provider's id of the request (Intuit's `intuit_tid`, Stripe's `req_…`) whose answer caused it: their support asks for it. Null: none did.",
  })
  providerRequestId!: string | null;
}

export const PurchaseOrderEventConnection = connectionType('PurchaseOrderEvent', PurchaseOrderEventType);

export function presentPurchaseOrderEvent(event: PurchaseOrderEventView): PurchaseOrderEventType {
  const { purchaseOrderId: _, ...rest } = event;
  return rest;
}
