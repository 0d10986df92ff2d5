import { Field, ID, InputType, ObjectType } from 'type-graphql';
import type { BulkInvoicingItemCode } from '../../../application/bulk-invoicing/item-result.js';
import type { SendQboInvoiceCode } from '../../../application/quickbooks/send-qbo-invoice.js';
import type { SyncQboInvoiceStatusCode } from '../../../application/quickbooks/sync-qbo-invoice-status.js';
import { IDEMPOTENCY_KEY } from '../idempotency-key.js';
import { PurchaseOrderPayload } from '../purchase-order/purchase-order.payload.js';
import { commonCodes, creationCodes, type QboUserError, qboUserErrorType, quickbooksCodes } from '../user-error.js';

@InputType({ description: 'The purchase order to invoice in QuickBooks.' })
export class CreateQboInvoiceInput {
  @Field(() => ID, { description: 'A purchase order without payments, credits or a live invoice.' })
  purchaseOrderId!: string;

  @Field(() => String, { nullable: true, description: IDEMPOTENCY_KEY })
  idempotencyKey?: string | null;
}

@InputType({ description: 'The purchase order whose QuickBooks invoice is to be e-mailed.' })
export class SendQboInvoiceInput {
  @Field(() => ID, { description: 'A purchase order with an invoice in QuickBooks.' })
  purchaseOrderId!: string;

  @Field(() => String, { nullable: true, description: "Where to send it; the contact's address when left out." })
  email?: string | null;
}

@InputType({ description: 'The purchase order whose QuickBooks invoice is to be read.' })
export class SyncQboInvoiceStatusInput {
  @Field(() => ID, { description: 'A purchase order with an invoice in QuickBooks.' })
  purchaseOrderId!: string;
}

const NO_QBO_INVOICE = 'The purchase order has no invoice in QuickBooks.';

export const CreateQboInvoiceUserError = qboUserErrorType<BulkInvoicingItemCode>('CreateQboInvoice', {
  NOT_FOUND: commonCodes.NOT_FOUND,
  ...quickbooksCodes,
  ...creationCodes,
  QBO_ITEM_MISSING: 'No QuickBooks product or service is known to put on the lines.',
  QBO_TOTAL_DIFFERS:
    'The invoice was made, but its total, currency or lines are not those of the purchase order; the payload is filled.',
  FORBIDDEN: 'Only in a bulk: whoever asked for it may not invoice this purchase order any more.',
  INTERNAL_SERVER_ERROR: 'Only in a bulk: something went wrong in this server, whose log says what.',
});

const SendQboInvoiceUserError = qboUserErrorType<SendQboInvoiceCode>('SendQboInvoice', {
  NOT_FOUND: commonCodes.NOT_FOUND,
  ...quickbooksCodes,
  NO_QBO_INVOICE,
  CANCELLED: commonCodes.CANCELLED,
  INVALID: 'The e-mail address is not acceptable.',
});

const SyncQboInvoiceStatusUserError = qboUserErrorType<SyncQboInvoiceStatusCode>('SyncQboInvoiceStatus', {
  NOT_FOUND: commonCodes.NOT_FOUND,
  ...quickbooksCodes,
  NO_QBO_INVOICE,
});

@ObjectType({ description: 'Result of `createQboInvoice`.' })
export class CreateQboInvoicePayload extends PurchaseOrderPayload {
  @Field(() => [CreateQboInvoiceUserError], { description: 'Empty on success.' })
  userErrors!: QboUserError[];
}

@ObjectType({ description: 'Result of `sendQboInvoice`.' })
export class SendQboInvoicePayload extends PurchaseOrderPayload {
  @Field(() => [SendQboInvoiceUserError], { description: 'Empty on success.' })
  userErrors!: QboUserError[];
}

@ObjectType({ description: 'Result of `syncQboInvoiceStatus`.' })
export class SyncQboInvoiceStatusPayload extends PurchaseOrderPayload {
  @Field(() => [SyncQboInvoiceStatusUserError], { description: 'Empty on success.' })
  userErrors!: QboUserError[];
}
