import { Field, ID, InputType, ObjectType } from 'type-graphql';
import type { CreateStripeInvoiceCode } from '../../../application/stripe/create-stripe-invoice.outcome.js';
import type { SendStripeInvoiceCode } from '../../../application/stripe/send-stripe-invoice.js';
import type { SyncStripeInvoiceStatusCode } from '../../../application/stripe/sync-stripe-invoice-status.js';
import { IDEMPOTENCY_KEY } from '../idempotency-key.js';
import { PurchaseOrderPayload } from '../purchase-order/purchase-order.payload.js';
import { commonCodes, creationCodes, type StripeUserError, stripeCodes, stripeUserErrorType } from '../user-error.js';

@InputType({ description: 'The purchase order to invoice through Stripe.' })
export class CreateStripeInvoiceInput {
  @Field(() => ID, { description: 'A purchase order without payments, credits or a live invoice.' })
  purchaseOrderId!: string;

  @Field(() => String, { nullable: true, description: IDEMPOTENCY_KEY })
  idempotencyKey?: string | null;
}

@InputType({ description: 'The purchase order whose Stripe invoice is to be e-mailed.' })
export class SendStripeInvoiceInput {
  @Field(() => ID, { description: 'A purchase order with an invoice in Stripe; it goes to its customer there.' })
  purchaseOrderId!: string;
}

@InputType({ description: 'The purchase order whose Stripe invoice is to be read.' })
export class SyncStripeInvoiceStatusInput {
  @Field(() => ID, { description: 'A purchase order with an invoice in Stripe.' })
  purchaseOrderId!: string;
}

const NO_STRIPE_INVOICE = 'The purchase order has no invoice in Stripe.';

const CreateStripeInvoiceUserError = stripeUserErrorType<CreateStripeInvoiceCode>('CreateStripeInvoice', {
  NOT_FOUND: commonCodes.NOT_FOUND,
  ...stripeCodes,
  ...creationCodes,
  STRIPE_AMOUNT_UNREPRESENTABLE: 'Stripe cannot take this amount in this currency. Nothing was sent.',
  STRIPE_TOO_MANY_LINES: 'Stripe takes at most 250 lines on an invoice. Nothing was sent.',
  STRIPE_TOTAL_DIFFERS:
    'The invoice was made, but its total, currency or lines are not those of the purchase order; the payload is filled.',
});

const SendStripeInvoiceUserError = stripeUserErrorType<SendStripeInvoiceCode>('SendStripeInvoice', {
  NOT_FOUND: commonCodes.NOT_FOUND,
  ...stripeCodes,
  NO_STRIPE_INVOICE,
  CANCELLED: commonCodes.CANCELLED,
});

const SyncStripeInvoiceStatusUserError = stripeUserErrorType<SyncStripeInvoiceStatusCode>('SyncStripeInvoiceStatus', {
  NOT_FOUND: commonCodes.NOT_FOUND,
  ...stripeCodes,
  NO_STRIPE_INVOICE,
});

@ObjectType({ description: 'Result of `createStripeInvoice`.' })
export class CreateStripeInvoicePayload extends PurchaseOrderPayload {
  @Field(() => [CreateStripeInvoiceUserError], { description: 'Empty on success.' })
  userErrors!: StripeUserError[];
}

@ObjectType({ description: 'Result of `sendStripeInvoice`.' })
export class SendStripeInvoicePayload extends PurchaseOrderPayload {
  @Field(() => [SendStripeInvoiceUserError], { description: 'Empty on success.' })
  userErrors!: StripeUserError[];
}

@ObjectType({ description: 'Result of `syncStripeInvoiceStatus`.' })
export class SyncStripeInvoiceStatusPayload extends PurchaseOrderPayload {
  @Field(() => [SyncStripeInvoiceStatusUserError], { description: 'Empty on success.' })
  userErrors!: StripeUserError[];
}
