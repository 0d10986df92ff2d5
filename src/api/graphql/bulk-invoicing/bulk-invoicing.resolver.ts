import { Arg, Args, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { createQboInvoices } from '../../../application/bulk-invoicing/create-qbo-invoices.js';
import { itemsIn, pageOfItems } from '../../../application/queries/bulk-invoicings.js';
import { BulkInvoicingItemState } from '../../../domain/bulk-invoicing/bulk-invoicing-item.entity.js';
import { pageComplexity } from '../complexity.js';
import { toConnection } from '../connection.js';
import type { GraphQLContext } from '../context.js';
import { InvoiceType, presentInvoice } from '../invoice/invoice.type.js';
import { PurchaseOrderType, presentPurchaseOrder } from '../purchase-order/purchase-order.type.js';
import { presentFailures } from '../user-error.js';
import { BulkInvoicingItemsArgs, CreateQboInvoicesInput, CreateQboInvoicesPayload } from './bulk-invoicing.inputs.js';
import {
  BulkInvoicingItemConnection,
  BulkInvoicingItemType,
  BulkInvoicingType,
  presentBulkInvoicing,
  presentBulkInvoicingItem,
} from './bulk-invoicing.type.js';

@Resolver(() => BulkInvoicingType)
export class BulkInvoicingResolver {
  @Query(() => BulkInvoicingType, {
    nullable: true,
    description: 'A bulk by its id; null when there is none, or one of its purchase orders is not yours to see.',
  })
  async bulkInvoicing(
    @Arg('id', () => ID, { description: 'Its id, `bulk_…`.' }) id: string,
    @Ctx() { loaders }: GraphQLContext,
  ) {
    const bulk = await loaders.bulkInvoicing.load(id);
    return bulk ? presentBulkInvoicing(bulk) : null;
  }

  @Mutation(() => CreateQboInvoicesPayload, {
    nullable: true,
    description:
      'Has every one of these purchase orders invoiced in QuickBooks, in the background, and answers at once: see `bulkInvoicing` for what came of each. If one of them is unknown, none is invoiced. No order ever gets a second invoice, also when it is invoiced alone at the same time.',
  })
  async createQboInvoices(
    @Arg('input', { description: 'What to invoice.' }) input: CreateQboInvoicesInput,
    @Ctx() context: GraphQLContext,
  ) {
    const outcome = await context.mutate((useCase) => createQboInvoices(useCase, input));
    const bulk = outcome.id === null ? undefined : await context.loaders.bulkInvoicing.load(outcome.id);
    return { bulkInvoicing: bulk ? presentBulkInvoicing(bulk) : null, userErrors: presentFailures(outcome) };
  }

  @FieldResolver(() => BulkInvoicingItemConnection, {
    complexity: pageComplexity,
    description: 'Its purchase orders, in the order of the request.',
  })
  async items(
    @Root() { id }: BulkInvoicingType,
    @Args(() => BulkInvoicingItemsArgs) args: BulkInvoicingItemsArgs,
    @Ctx() { loaders }: GraphQLContext,
  ) {
    const items = await loaders.itemsOfBulkInvoicing.load(id);
    return toConnection(pageOfItems(items, args), presentBulkInvoicingItem, () => itemsIn(items, args).length);
  }

  @FieldResolver(() => Int, { description: 'How many purchase orders it has.' })
  async total(@Root() { id }: BulkInvoicingType, @Ctx() { loaders }: GraphQLContext) {
    return (await loaders.itemsOfBulkInvoicing.load(id)).length;
  }

  @FieldResolver(() => Int, { description: 'How many were invoiced as ordered.' })
  succeeded(@Root() bulk: BulkInvoicingType, @Ctx() context: GraphQLContext) {
    return countIn(context, bulk, BulkInvoicingItemState.SUCCEEDED);
  }

  @FieldResolver(() => Int, { description: 'How many failed for good.' })
  failed(@Root() bulk: BulkInvoicingType, @Ctx() context: GraphQLContext) {
    return countIn(context, bulk, BulkInvoicingItemState.FAILED);
  }

  @FieldResolver(() => Int, { description: 'How many have no result yet.' })
  pending(@Root() bulk: BulkInvoicingType, @Ctx() context: GraphQLContext) {
    return countIn(context, bulk, BulkInvoicingItemState.PENDING);
  }
}

async function countIn(
  { loaders }: GraphQLContext,
  { id }: BulkInvoicingType,
  state: BulkInvoicingItemState,
): Promise<number> {
  return itemsIn(await loaders.itemsOfBulkInvoicing.load(id), { filter: { stateIn: [state] } }).length;
}

@Resolver(() => BulkInvoicingItemType)
export class BulkInvoicingItemResolver {
  @FieldResolver(() => PurchaseOrderType, { description: 'What is invoiced.' })
  async purchaseOrder(@Root() { item }: BulkInvoicingItemType, @Ctx() { loaders }: GraphQLContext) {
    const view = await loaders.purchaseOrder.load(item.purchaseOrder.id);
    return view && presentPurchaseOrder(view);
  }

  @FieldResolver(() => InvoiceType, {
    nullable: true,
    description: 'Its invoice, also while it is being made; null before, and when none was made.',
  })
  async invoice(@Root() { item }: BulkInvoicingItemType, @Ctx() { loaders }: GraphQLContext) {
    const invoice = item.invoice && (await loaders.invoice.load(item.invoice.id));
    return invoice ? presentInvoice(invoice) : null;
  }
}
