import { Arg, Ctx, ID, Resolver, Subscription } from 'type-graphql';
import { watchBulkInvoicing } from '../../../application/live/watch-bulk-invoicing.js';
import type { GraphQLContext } from '../context.js';
import { notFound } from '../errors.js';
import { BulkInvoicingType, presentBulkInvoicing } from './bulk-invoicing.type.js';

/** Served at /graphql/stream, see `PurchaseOrderSubscriptions`. */
@Resolver()
export class BulkInvoicingSubscriptions {
  @Subscription(() => BulkInvoicingType, {
    description:
      'A bulk at once as it is now, whenever an order of it got a result or was put off, and a last time when it is finished: then the stream ends. After a lost connection simply subscribe anew.',
    subscribe: ({ context, args }) => watch(context, args.id),
  })
  bulkInvoicingProgressed(
    @Ctx() context: GraphQLContext,
    @Arg('id', () => ID, { description: 'Its id, `bulk_…`.' }) id: string,
  ): Promise<BulkInvoicingType> {
    return loadVisible(context, id);
  }
}

async function watch(context: GraphQLContext, id: string) {
  await loadVisible(context, id);
  if (!context.live) throw new Error('a subscription began outside of a stream');
  return watchBulkInvoicing(context.live, id);
}

async function loadVisible({ loaders }: GraphQLContext, id: string): Promise<BulkInvoicingType> {
  const bulk = await loaders.bulkInvoicing.load(id);
  if (!bulk) throw notFound('bulk');
  return presentBulkInvoicing(bulk);
}
