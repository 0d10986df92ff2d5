import { ArgsType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { CancelPurchaseOrderCode } from '../../../application/purchase-orders/cancel-purchase-order.js';
import type { CreatePurchaseOrderCode } from '../../../application/purchase-orders/create-purchase-order.js';
import type { IssueCreditNoteCode } from '../../../application/purchase-orders/issue-credit-note.js';
import type { RecordPaymentCode } from '../../../application/purchase-orders/record-payment.js';
import type { ReversePaymentCode } from '../../../application/purchase-orders/reverse-payment.js';
import type { SendPurchaseOrderCode } from '../../../application/purchase-orders/send-purchase-order.js';
import { PaymentMethod } from '../../../domain/purchase-order/payment.entity.js';
import { PurchaseOrderStatus } from '../../../domain/purchase-order/purchase-order.status.js';
import { ConnectionArgs } from '../connection.js';
import { IDEMPOTENCY_KEY } from '../idempotency-key.js';
import { CalendarDate, CurrencyCodeEnum, DateTime, Decimal } from '../scalars.js';
import {
  commonCodes,
  type InvoicingUserError,
  invoicingCodes,
  invoicingUserErrorType,
  type UserError,
  userErrorType,
} from '../user-error.js';
import { PurchaseOrderPayload } from './purchase-order.payload.js';
import { CreditNoteType, PaymentType } from './purchase-order.type.js';

@InputType({ description: 'A line to order.' })
export class LineItemInput {
  @Field(() => String, { description: 'What is ordered, at most 300 characters.' })
  description!: string;

  @Field(() => Int, { description: 'How many, at least 1.' })
  quantity!: number;

  @Field(() => Decimal, { description: "Price of one in the conference's currency, with no more digits than it has." })
  unitPrice!: string;
}

@InputType({ description: 'A purchase order to create; it begins as a draft.' })
export class CreatePurchaseOrderInput {
  @Field(() => ID, { description: 'The conference it is for; its currency becomes the currency of the order.' })
  conferenceId!: string;

  @Field(() => String, { description: 'Who orders, at most 300 characters.' })
  organizationName!: string;

  @Field(() => String, { description: 'Where the invoice is to be sent, at most 100 characters.' })
  contactEmail!: string;

  @Field(() => String, { nullable: true, description: 'Whom to address, at most 200 characters.' })
  contactName?: string | null;

  @Field(() => String, { nullable: true, description: 'Free text of several lines, at most 2000 characters.' })
  billingAddress?: string | null;

  @Field(() => String, { nullable: true, description: 'Internal notes, at most 4000 characters.' })
  notes?: string | null;

  @Field(() => String, {
    nullable: true,
    description: "The buyer's own number for this order, at most 100 characters.",
  })
  buyerReference?: string | null;

  @Field(() => CalendarDate, { nullable: true, description: 'When payment is due.' })
  dueDate?: string | null;

  @Field(() => [LineItemInput], { description: '1 to 750 lines.' })
  lineItems!: LineItemInput[];

  @Field(() => String, { nullable: true, description: IDEMPOTENCY_KEY })
  idempotencyKey?: string | null;
}

@InputType({ description: 'The purchase order to mark as sent.' })
export class SendPurchaseOrderInput {
  @Field(() => ID, { description: 'A draft.' })
  purchaseOrderId!: string;
}

@InputType({ description: 'The purchase order to cancel.' })
export class CancelPurchaseOrderInput {
  @Field(() => ID, { description: 'One without money received; its unpaid invoice is voided first.' })
  purchaseOrderId!: string;
}

@InputType({ description: 'Money that arrived outside the providers.' })
export class RecordPaymentInput {
  @Field(() => ID, { description: 'The purchase order it pays.' })
  purchaseOrderId!: string;

  @Field(() => Decimal, { description: "More than zero, in the purchase order's currency." })
  amount!: string;

  @Field(() => PaymentMethod, { description: '`QBO` and `STRIPE` are refused: those are booked by themselves.' })
  method!: PaymentMethod;

  @Field(() => String, { nullable: true, description: 'Wire id or cheque number, at most 200 characters.' })
  reference?: string | null;

  @Field(() => CalendarDate, {
    nullable: true,
    description: "The day it arrived, not in the future; today in the conference's time zone when left out.",
  })
  paidOn?: string | null;

  @Field(() => String, { nullable: true, description: 'Whatever is worth noting, at most 1000 characters.' })
  note?: string | null;

  @Field(() => String, { nullable: true, description: IDEMPOTENCY_KEY })
  idempotencyKey?: string | null;
}

@InputType({ description: 'The payment to take back.' })
export class ReversePaymentInput {
  @Field(() => ID, { description: "A manually recorded payment; a provider's is reversed at the provider." })
  paymentId!: string;

  @Field(() => String, { description: 'Why, at most 1000 characters.' })
  reason!: string;
}

@InputType({ description: 'A credit to give.' })
export class IssueCreditNoteInput {
  @Field(() => ID, { description: 'A purchase order without a live invoice.' })
  purchaseOrderId!: string;

  @Field(() => Decimal, { description: 'More than zero; all credits together at most the total.' })
  amount!: string;

  @Field(() => String, { description: 'Why, at most 1000 characters.' })
  reason!: string;

  @Field(() => String, { nullable: true, description: IDEMPOTENCY_KEY })
  idempotencyKey?: string | null;
}

export enum PurchaseOrderOrderField {
  CREATED_AT = 'CREATED_AT',
  UPDATED_AT = 'UPDATED_AT',
  REFERENCE = 'REFERENCE',
  ORGANIZATION_NAME = 'ORGANIZATION_NAME',
  DUE_DATE = 'DUE_DATE',
  TOTAL = 'TOTAL',
  BALANCE = 'BALANCE',
}

export enum OrderDirection {
  ASC = 'ASC',
  DESC = 'DESC',
}

registerEnumType(PurchaseOrderOrderField, {
  name: 'PurchaseOrderOrderField',
  description: 'What purchase orders can be sorted by.',
  valuesConfig: {
    CREATED_AT: { description: 'When they were created.' },
    UPDATED_AT: { description: 'When they last changed.' },
    REFERENCE: { description: 'Their reference.' },
    ORGANIZATION_NAME: { description: "The organisation's name, upper and lower case alike." },
    DUE_DATE: { description: 'When payment is due; those without a due date are due last.' },
    TOTAL: {
      description: 'What is owed altogether. Needs the filter `currencyCode`: other currencies do not compare.',
    },
    BALANCE: { description: 'What is still due. Needs the filter `currencyCode`: other currencies do not compare.' },
  },
});

registerEnumType(OrderDirection, {
  name: 'OrderDirection',
  description: 'Which way to sort.',
  valuesConfig: {
    ASC: { description: 'Smallest or oldest first.' },
    DESC: { description: 'Largest or newest first.' },
  },
});

@InputType({ description: 'How to sort purchase orders.' })
export class PurchaseOrderOrder {
  @Field(() => PurchaseOrderOrderField, { description: 'By what.' })
  field!: PurchaseOrderOrderField;

  @Field(() => OrderDirection, { description: 'Which way.' })
  direction!: OrderDirection;
}

@InputType({ description: 'Which purchase orders to list; everything given must hold.' })
export class PurchaseOrderFilter {
  @Field(() => [PurchaseOrderStatus], { nullable: true, description: 'In one of these states.' })
  statusIn?: PurchaseOrderStatus[] | null;

  @Field(() => String, {
    nullable: true,
    description:
      "Part of the reference, the organisation's name, the buyer's reference or the contact's e-mail address, in upper or lower case; at most 300 characters.",
  })
  search?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Ordered by the organisation of exactly this name, in upper or lower case.',
  })
  organizationName?: string | null;

  @Field(() => String, { nullable: true, description: 'With exactly this reference.' })
  reference?: string | null;

  @Field(() => String, {
    nullable: true,
    description: "With exactly this number of the buyer's, in upper or lower case.",
  })
  buyerReference?: string | null;

  @Field(() => CurrencyCodeEnum, { nullable: true, description: 'In this currency.' })
  currencyCode?: string | null;

  @Field(() => Decimal, {
    nullable: true,
    description: 'Over this total or more, decimals in the currency of `currencyCode`, which has to be given, too.',
  })
  totalMin?: string | null;

  @Field(() => Decimal, {
    nullable: true,
    description: 'Over this total or less, decimals in the currency of `currencyCode`, which has to be given, too.',
  })
  totalMax?: string | null;

  @Field(() => Decimal, {
    nullable: true,
    description: 'With this much due or more, decimals in the currency of `currencyCode`, which has to be given, too.',
  })
  balanceMin?: string | null;

  @Field(() => Decimal, {
    nullable: true,
    description: 'With this much due or less, decimals in the currency of `currencyCode`, which has to be given, too.',
  })
  balanceMax?: string | null;

  @Field(() => DateTime, { nullable: true, description: 'Created at this time or later.' })
  createdFrom?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'Created before this time.' })
  createdBefore?: Date | null;

  @Field(() => CalendarDate, {
    nullable: true,
    description: 'Due on this day or later; those without a due date are left out.',
  })
  dueFrom?: string | null;

  @Field(() => CalendarDate, {
    nullable: true,
    description: 'Due on this day or earlier; those without a due date are left out.',
  })
  dueTo?: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether there is a live invoice at a provider, one that is being made included.',
  })
  isInvoiced?: boolean | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether money is due: sent or invoiced, not cancelled, and not paid and credited in full.',
  })
  isUnpaid?: boolean | null;

  @Field(() => Boolean, {
    nullable: true,
    description: "Whether money is due, and the due date has passed in the conference's time zone.",
  })
  isOverdue?: boolean | null;
}

@ArgsType()
export class ConferencePurchaseOrdersArgs extends ConnectionArgs {
  @Field(() => PurchaseOrderFilter, { nullable: true, description: 'Which ones.' })
  filter?: PurchaseOrderFilter;

  @Field(() => PurchaseOrderOrder, { nullable: true, description: 'In which order; newest first when left out.' })
  orderBy?: PurchaseOrderOrder;
}

@ArgsType()
export class PurchaseOrdersArgs extends ConferencePurchaseOrdersArgs {
  @Field(() => ID, { nullable: true, description: 'Of this conference only.' })
  conferenceId?: string;
}

const CreatePurchaseOrderUserError = userErrorType<CreatePurchaseOrderCode>('CreatePurchaseOrder', {
  NOT_FOUND: 'There is no such conference.',
  INVALID: commonCodes.INVALID,
  IDEMPOTENCY_KEY_REUSED: commonCodes.IDEMPOTENCY_KEY_REUSED,
});

const SendPurchaseOrderUserError = userErrorType<SendPurchaseOrderCode>('SendPurchaseOrder', {
  NOT_FOUND: commonCodes.NOT_FOUND,
  NOT_DRAFT: 'It was sent already.',
  ALREADY_PAID: 'It is paid already.',
  CANCELLED: commonCodes.CANCELLED,
});

const CancelPurchaseOrderUserError = invoicingUserErrorType<CancelPurchaseOrderCode>('CancelPurchaseOrder', {
  NOT_FOUND: commonCodes.NOT_FOUND,
  CANCELLED: 'It is cancelled already.',
  HAS_PAYMENTS: 'Money was received for it; reverse or refund that first.',
  INVOICED: 'Credits or payments are applied to its invoice; take them off at its provider first.',
  ...invoicingCodes,
});

const RecordPaymentUserError = userErrorType<RecordPaymentCode>('RecordPayment', {
  NOT_FOUND: commonCodes.NOT_FOUND,
  CANCELLED: commonCodes.CANCELLED,
  INVALID: commonCodes.INVALID,
  IDEMPOTENCY_KEY_REUSED: commonCodes.IDEMPOTENCY_KEY_REUSED,
});

const ReversePaymentUserError = userErrorType<ReversePaymentCode>('ReversePayment', {
  NOT_FOUND: commonCodes.NOT_FOUND,
  ALREADY_REVERSED: 'It was reversed already.',
  INVALID: commonCodes.INVALID,
});

const IssueCreditNoteUserError = userErrorType<IssueCreditNoteCode>('IssueCreditNote', {
  NOT_FOUND: commonCodes.NOT_FOUND,
  CANCELLED: commonCodes.CANCELLED,
  INVALID: commonCodes.INVALID,
  INVOICED: 'There is a live invoice for it; issue the credit at the provider.',
  IDEMPOTENCY_KEY_REUSED: commonCodes.IDEMPOTENCY_KEY_REUSED,
});

@ObjectType({ description: 'Result of `createPurchaseOrder`.' })
export class CreatePurchaseOrderPayload extends PurchaseOrderPayload {
  @Field(() => [CreatePurchaseOrderUserError], { description: 'Empty on success.' })
  userErrors!: UserError[];
}

@ObjectType({ description: 'Result of `sendPurchaseOrder`.' })
export class SendPurchaseOrderPayload extends PurchaseOrderPayload {
  @Field(() => [SendPurchaseOrderUserError], { description: 'Empty on success.' })
  userErrors!: UserError[];
}

@ObjectType({ description: 'Result of `cancelPurchaseOrder`.' })
export class CancelPurchaseOrderPayload extends PurchaseOrderPayload {
  @Field(() => [CancelPurchaseOrderUserError], { description: 'Empty on success.' })
  userErrors!: InvoicingUserError[];
}

@ObjectType({ description: 'Result of `recordPayment`.' })
export class RecordPaymentPayload extends PurchaseOrderPayload {
  @Field(() => PaymentType, { nullable: true, description: 'The payment; null when nothing was done.' })
  payment?: PaymentType | null;

  @Field(() => [RecordPaymentUserError], { description: 'Empty on success.' })
  userErrors!: UserError[];
}

@ObjectType({ description: 'Result of `reversePayment`.' })
export class ReversePaymentPayload extends PurchaseOrderPayload {
  @Field(() => PaymentType, { nullable: true, description: 'The payment, now reversed; null when nothing was done.' })
  payment?: PaymentType | null;

  @Field(() => [ReversePaymentUserError], { description: 'Empty on success.' })
  userErrors!: UserError[];
}

@ObjectType({ description: 'Result of `issueCreditNote`.' })
export class IssueCreditNotePayload extends PurchaseOrderPayload {
  @Field(() => CreditNoteType, { nullable: true, description: 'The credit note; null when nothing was done.' })
  creditNote?: CreditNoteType | null;

  @Field(() => [IssueCreditNoteUserError], { description: 'Empty on success.' })
  userErrors!: UserError[];
}
