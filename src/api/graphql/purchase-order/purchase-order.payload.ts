import { Field, ObjectType } from 'type-graphql';
import { PurchaseOrderType } from './purchase-order.type.js';

/** What every mutation of a purchase order answers, beside its errors. */
@ObjectType()
export abstract class PurchaseOrderPayload {
  @Field(() => PurchaseOrderType, {
    nullable: true,
    description: 'The purchase order as it is now; null when nothing was done.',
  })
  purchaseOrder?: PurchaseOrderType | null;
}
