import { Field, ID, InputType, ObjectType } from 'type-graphql';
import type { SwitchInvoiceProviderCode } from '../../../application/invoicing/switch-invoice-provider.js';
import { InvoiceProvider } from '../../../domain/invoice/invoice.status.js';
import { PurchaseOrderPayload } from '../purchase-order/purchase-order.payload.js';
import {
  commonCodes,
  creationCodes,
  type InvoicingUserError,
  invoicingCodes,
  invoicingUserErrorType,
} from '../user-error.js';

@InputType({ description: 'The purchase order whose invoice is to be made by another provider.' })
export class SwitchInvoiceProviderInput {
  @Field(() => ID, {
    description: 'A purchase order whose invoice at the other provider is unpaid; or one without an invoice.',
  })
  purchaseOrderId!: string;

  @Field(() => InvoiceProvider, { description: 'Who is to make the new invoice.' })
  provider!: InvoiceProvider;
}

const SwitchInvoiceProviderUserError = invoicingUserErrorType<SwitchInvoiceProviderCode>('SwitchInvoiceProvider', {
  NOT_FOUND: commonCodes.NOT_FOUND,
  ...invoicingCodes,
  ...creationCodes,
  HAS_PAYMENTS_OR_CREDITS:
    'It is partly paid or credited, here or at the provider; take that off first, because an invoice asks for the full amount.',
  QBO_ITEM_MISSING: 'No QuickBooks product or service is known to put on the lines.',
  QBO_TOTAL_DIFFERS: 'The new invoice was made, but it is not that of the purchase order; the payload is filled.',
  STRIPE_AMOUNT_UNREPRESENTABLE: 'Stripe cannot take this amount in this currency.',
  STRIPE_TOO_MANY_LINES: 'Stripe takes at most 250 lines on an invoice.',
  STRIPE_TOTAL_DIFFERS: 'The new invoice was made, but it is not that of the purchase order; the payload is filled.',
});

@ObjectType({ description: 'Result of `switchInvoiceProvider`.' })
export class SwitchInvoiceProviderPayload extends PurchaseOrderPayload {
  @Field(() => [SwitchInvoiceProviderUserError], { description: 'Empty on success.' })
  userErrors!: InvoicingUserError[];
}
