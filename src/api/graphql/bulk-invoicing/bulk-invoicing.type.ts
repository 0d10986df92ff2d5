import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { BulkInvoicing } from '../../../domain/bulk-invoicing/bulk-invoicing.entity.js';
import {
  type BulkInvoicingItem,
  BulkInvoicingItemState,
} from '../../../domain/bulk-invoicing/bulk-invoicing-item.entity.js';
import { connectionType } from '../connection.js';
import { Node } from '../node/node.type.js';
import { CreateQboInvoiceUserError } from '../quickbooks/qbo-invoice.inputs.js';
import { DateTime } from '../scalars.js';
import type { QboUserError } from '../user-error.js';

registerEnumType(BulkInvoicingItemState, {
  name: 'BulkInvoicingItemState',
  description: 'What came of one purchase order of a bulk.',
  valuesConfig: {
    PENDING: { description: 'It waits for its turn, or for QuickBooks; `error` says why, when it was put off.' },
    SUCCEEDED: { description: 'Its invoice was made.' },
    FAILED: {
      description:
        'It was not invoiced, see `error`, and no invoice will be sent for it any more; with `QBO_TOTAL_DIFFERS` the invoice was made and is not as ordered.',
    },
  },
});

@ObjectType('BulkInvoicing', {
  implements: Node,
  description: 'Purchase orders that are invoiced in QuickBooks in one go, in the background.',
})
export class BulkInvoicingType extends Node {
  @Field(() => String, { description: 'Who asked for it.' })
  requestedBy!: string;

  @Field(() => DateTime, { description: 'When it was asked for.' })
  createdAt!: Date;

  @Field(() => DateTime, {
    nullable: true,
    description:
      'When the last purchase order got its result: a day after it was asked for at the latest, unless it is not known by then whether QuickBooks made an invoice.',
  })
  finishedAt!: Date | null;
}

@ObjectType('BulkInvoicingItem', { description: 'One purchase order of a bulk, and what came of it.' })
export class BulkInvoicingItemType {
  /** For the fields that refer to others. */
  item!: BulkInvoicingItem;

  @Field(() => Int, { description: 'Its place in the request, from 1.' })
  position!: number;

  @Field(() => BulkInvoicingItemState, { description: 'What came of it.' })
  state!: BulkInvoicingItemState;

  @Field(() => CreateQboInvoiceUserError, {
    nullable: true,
    description: 'Why it failed, or was put off, as `createQboInvoice` would say it.',
  })
  error!: QboUserError | null;
}

export const BulkInvoicingItemConnection = connectionType('BulkInvoicingItem', BulkInvoicingItemType);

export function presentBulkInvoicing(bulk: BulkInvoicing): BulkInvoicingType {
  return Object.assign(new BulkInvoicingType(), {
    id: bulk.id,
    requestedBy: bulk.actorName,
    createdAt: bulk.createdAt,
    finishedAt: bulk.finishedAt,
  });
}

export function presentBulkInvoicingItem(item: BulkInvoicingItem): BulkInvoicingItemType {
  const { errorCode: code, errorMessage: message, faultCode, intuitTid } = item;
  return Object.assign(new BulkInvoicingItemType(), {
    item,
    position: item.position,
    state: item.state,
    error: code === null ? null : { code, message, path: [], faultCode, intuitTid },
  });
}
