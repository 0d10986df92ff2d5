import { Arg, Ctx, ID, Resolver, Root, Subscription } from 'type-graphql';
import { hasRoleIn } from '../../../application/access/permissions.js';
import { type PurchaseOrderChanged, watchPurchaseOrders } from '../../../application/live/watch-purchase-orders.js';
import {
  type ChangePosition,
  type ChangeScope,
  currentChangePosition,
  readChangeCursor,
  writeChangeCursor,
} from '../../../application/queries/purchase-order-changes.js';
import { ConferenceRole } from '../../../domain/access/grants.js';
import type { GraphQLContext } from '../context.js';
import { badUserInput, notFound } from '../errors.js';
import { PurchaseOrderChangeType, type PurchaseOrderType, presentPurchaseOrder } from './purchase-order.type.js';

const AFTER = 'The cursor of the last change that you saw: what you missed since is sent first.';

/** The first thing sent to who begins anew bears the id of no purchase order when there are many to begin with. */
type Sent = Omit<PurchaseOrderChanged, 'purchaseOrderId'> & { readonly purchaseOrderId: string | null };

/** Served at /graphql/stream. `subscribe` says when there is something to tell; the resolver, what, each time anew. */
@Resolver()
export class PurchaseOrderSubscriptions {
  @Subscription(() => PurchaseOrderChangeType, {
    description:
      'A purchase order whenever anything about it changes, and at once as it is now, unless `after` is given. Changes that follow each other closely are sent as one.',
    subscribe: ({ context, args }) => watchOne(context, args),
  })
  purchaseOrderChanged(
    @Root() sent: Sent,
    @Ctx() context: GraphQLContext,
    @Arg('id', () => ID, { description: 'Its id.' }) _id: string,
    @Arg('after', () => String, { nullable: true, description: AFTER }) _after?: string,
  ): Promise<PurchaseOrderChangeType> {
    return present(context, sent);
  }

  @Subscription(() => PurchaseOrderChangeType, {
    description:
      'The purchase orders of a conference, each whenever anything about it changes. Unless `after` is given, the first thing sent has no purchase order: whoever reads the list then misses nothing.',
    subscribe: ({ context, args }) => watchConference(context, args),
  })
  conferenceActivity(
    @Root() sent: Sent,
    @Ctx() context: GraphQLContext,
    @Arg('conferenceId', () => ID, { description: 'The id of the conference.' }) _conferenceId: string,
    @Arg('after', () => String, { nullable: true, description: AFTER }) _after?: string,
  ): Promise<PurchaseOrderChangeType> {
    return present(context, sent);
  }
}

async function watchOne(context: GraphQLContext, { id, after }: { id: string; after?: string | null }) {
  await loadVisible(context, id);
  return watch(context, { purchaseOrderId: id }, after);
}

async function watchConference(
  context: GraphQLContext,
  { conferenceId, after }: { conferenceId: string; after?: string | null },
) {
  const { actor, loaders } = context;
  if (!hasRoleIn(actor, conferenceId, ConferenceRole.VIEWER) || !(await loaders.conference.load(conferenceId)))
    throw notFound('conference');
  return watch(context, { conferenceId }, after);
}

async function watch({ em, live }: GraphQLContext, scope: ChangeScope, after: string | null | undefined) {
  if (!live) throw new Error('a subscription began outside of a stream');
  if (after == null) {
    const position = await currentChangePosition(em);
    return beginningWith(position, scope, watchPurchaseOrders(live, scope, position));
  }
  const position = await readChangeCursor(em, after);
  if (position) return watchPurchaseOrders(live, scope, position);
  throw badUserInput('This cursor cannot be used, or not any more: read what you show anew and subscribe without it.');
}

async function* beginningWith(
  position: ChangePosition,
  scope: ChangeScope,
  changes: AsyncGenerator<PurchaseOrderChanged>,
): AsyncGenerator<Sent> {
  const purchaseOrderId = 'purchaseOrderId' in scope ? scope.purchaseOrderId : null;
  const at = new Date(position.takenAt * 1000);
  yield { purchaseOrderId, at, cursor: writeChangeCursor(position), isNews: false };
  yield* changes;
}

async function present(context: GraphQLContext, { purchaseOrderId, cursor, at }: Sent) {
  const purchaseOrder = purchaseOrderId === null ? null : await loadVisible(context, purchaseOrderId);
  return Object.assign(new PurchaseOrderChangeType(), { cursor, at, purchaseOrder });
}

async function loadVisible({ loaders }: GraphQLContext, id: string): Promise<PurchaseOrderType> {
  const view = await loaders.purchaseOrder.load(id);
  if (!view) throw notFound('purchase order');
  return presentPurchaseOrder(view);
}
