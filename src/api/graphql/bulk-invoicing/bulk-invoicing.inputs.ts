import { ArgsType, Field, ID, InputType, ObjectType } from 'type-graphql';
import type { CreateQboInvoicesCode } from '../../../application/bulk-invoicing/create-qbo-invoices.js';
import { BulkInvoicingItemState } from '../../../domain/bulk-invoicing/bulk-invoicing-item.entity.js';
import { ConnectionArgs } from '../connection.js';
import { commonCodes, type UserError, userErrorType } from '../user-error.js';
import { BulkInvoicingType } from './bulk-invoicing.type.js';

@InputType({ description: 'The purchase orders to invoice in QuickBooks.' })
export class CreateQboInvoicesInput {
  @Field(() => [ID], { description: '1 to 200 different ones, of any conferences.' })
  purchaseOrderIds!: string[];

  @Field(() => String, {
    nullable: true,
    description: 'Your name for this request, 8 to 255 characters: repeating it gives the same bulk. Kept 72 hours.',
  })
  idempotencyKey?: string | null;
}

const CreateQboInvoicesUserError = userErrorType<CreateQboInvoicesCode>('CreateQboInvoices', {
  INVALID: commonCodes.INVALID,
  NOT_FOUND: 'There is no purchase order with the id at `path`, or it is not yours to see.',
  IDEMPOTENCY_KEY_REUSED: commonCodes.IDEMPOTENCY_KEY_REUSED,
});

@ObjectType({ description: 'Result of `createQboInvoices`.' })
export class CreateQboInvoicesPayload {
  @Field(() => BulkInvoicingType, { nullable: true, description: 'The bulk; null when none was begun.' })
  bulkInvoicing?: BulkInvoicingType | null;

  @Field(() => [CreateQboInvoicesUserError], { description: 'Empty on success.' })
  userErrors!: UserError[];
}

@InputType({ description: 'Which items to list; everything given must hold.' })
export class BulkInvoicingItemFilter {
  @Field(() => [BulkInvoicingItemState], { nullable: true, description: 'In one of these states.' })
  stateIn?: BulkInvoicingItemState[] | null;
}

@ArgsType()
export class BulkInvoicingItemsArgs extends ConnectionArgs {
  @Field(() => BulkInvoicingItemFilter, { nullable: true, description: 'Which ones.' })
  filter?: BulkInvoicingItemFilter;
}
