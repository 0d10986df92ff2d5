import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';
import { MAX_PAGE_SIZE } from '../../../application/queries/page.js';
import { presentApiKey } from '../access/api-key.type.js';
import { presentBulkInvoicing } from '../bulk-invoicing/bulk-invoicing.type.js';
import { presentConference } from '../conference/conference.type.js';
import type { GraphQLContext } from '../context.js';
import { badUserInput } from '../errors.js';
import { presentInvoice } from '../invoice/invoice.type.js';
import { presentCreditNote, presentPayment, presentPurchaseOrder } from '../purchase-order/purchase-order.type.js';
import { presentWebhookEvent } from '../webhook/webhook-event.type.js';
import { Node, typeNameOfId } from './node.type.js';

@Resolver()
export class NodeResolver {
  @Query(() => Node, { nullable: true, description: 'Any object by its id; null when there is none.' })
  async node(
    @Ctx() context: GraphQLContext,
    @Arg('id', () => ID, { description: 'An id of any type, e.g. `po_…`.' }) id: string,
  ): Promise<Node | null> {
    return findNode(context, id);
  }

  @Query(() => [Node], {
    nullable: 'items',
    complexity: ({ args, childComplexity }) => 1 + args.ids.length * childComplexity,
    description: 'Up to 100 objects of any types by their ids, in the same order; null where there is none.',
  })
  async nodes(
    @Ctx() context: GraphQLContext,
    @Arg('ids', () => [ID], { description: 'Ids of any types, at most 100.' }) ids: string[],
  ): Promise<(Node | null)[]> {
    if (ids.length > MAX_PAGE_SIZE)
      throw badUserInput(`At most ${MAX_PAGE_SIZE} ids can be given; these are ${ids.length}.`);
    return Promise.all(ids.map((id) => findNode(context, id)));
  }
}

async function findNode(context: GraphQLContext, id: string): Promise<Node | null> {
  switch (typeNameOfId(id)) {
    case 'Conference': {
      const conference = await context.loaders.conference.load(id);
      return conference ? presentConference(conference) : null;
    }
    case 'PurchaseOrder': {
      const view = await context.loaders.purchaseOrder.load(id);
      return view ? presentPurchaseOrder(view) : null;
    }
    case 'Payment':
      return findPayment(context, id);
    case 'CreditNote':
      return findCreditNote(context, id);
    case 'Invoice': {
      const invoice = await context.loaders.invoice.load(id);
      return invoice ? presentInvoice(invoice) : null;
    }
    case 'WebhookEvent': {
      const event = await context.loaders.webhookEvent.load(id);
      return event ? presentWebhookEvent(event) : null;
    }
    case 'ApiKey': {
      const key = await context.loaders.apiKey.load(id);
      return key ? presentApiKey(key) : null;
    }
    case 'BulkInvoicing': {
      const bulk = await context.loaders.bulkInvoicing.load(id);
      return bulk ? presentBulkInvoicing(bulk) : null;
    }
    default:
      return null;
  }
}

async function findPayment({ loaders }: GraphQLContext, id: string): Promise<Node | null> {
  const view = await loaders.payment.load(id);
  const order = view && (await loaders.purchaseOrder.load(view.payment.purchaseOrder.id));
  return view && order ? presentPayment(view, order.currencyCode) : null;
}

async function findCreditNote({ loaders }: GraphQLContext, id: string): Promise<Node | null> {
  const view = await loaders.creditNote.load(id);
  const order = view && (await loaders.purchaseOrder.load(view.note.purchaseOrder.id));
  return view && order ? presentCreditNote(view, order.currencyCode) : null;
}
