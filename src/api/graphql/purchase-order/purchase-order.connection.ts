import type { GraphQLResolveInfo } from 'graphql';
import {
  countPurchaseOrders,
  type ListPurchaseOrders,
  listPurchaseOrders,
} from '../../../application/queries/list-purchase-orders.js';
import type { OrderRelation } from '../../../application/queries/purchase-order-relations.js';
import type { SeenPurchaseOrder } from '../../../application/queries/purchase-order-view.js';
import { toConnection } from '../connection.js';
import type { GraphQLContext } from '../context.js';
import { primeLoaders } from '../loaders.js';
import { selectedFields } from '../selection.js';
import { type PurchaseOrderType, presentPurchaseOrder } from './purchase-order.type.js';

/** Which fields of a purchase order show what else than its own row. */
const RELATION_OF_FIELD: Readonly<Record<string, OrderRelation>> = {
  conference: 'conference',
  lineItems: 'lineItems',
  payments: 'payments',
  creditNotes: 'creditNotes',
  attention: 'invoices',
  invoice: 'invoices',
  invoices: 'invoices',
  qboInvoice: 'invoices',
  qboInvoiceId: 'invoices',
  qboInvoiceUrl: 'invoices',
  stripeInvoice: 'invoices',
  stripeInvoiceId: 'invoices',
  stripeInvoiceUrl: 'invoices',
};

/** A page of purchase orders with what the document selects of them, in one statement; a second one only counts them. */
export async function purchaseOrderConnection(
  context: GraphQLContext,
  request: ListPurchaseOrders,
  info: GraphQLResolveInfo,
) {
  const { em, actor } = context;
  const page = await listPurchaseOrders(em, actor, request, relationsOf(info, ['nodes'], ['edges', 'node']));
  return toConnection(
    page,
    (order) => showPurchaseOrder(context, order),
    () => countPurchaseOrders(em, actor, request),
  );
}

/** What the document selects of the one purchase order that is the value of the field being resolved. */
export function relationsOfOrder(info: GraphQLResolveInfo): Set<OrderRelation> {
  return relationsOf(info);
}

/** The resolvers of its relations find in the loaders what was read with it. */
export function showPurchaseOrder({ loaders }: GraphQLContext, order: SeenPurchaseOrder): PurchaseOrderType {
  primeLoaders(loaders, order);
  return presentPurchaseOrder(order.view);
}

function relationsOf(info: GraphQLResolveInfo, ...paths: readonly (readonly string[])[]): Set<OrderRelation> {
  const relations = [...selectedFields(info, ...paths)].map((field) => RELATION_OF_FIELD[field]);
  return new Set(relations.filter((relation) => relation !== undefined));
}
