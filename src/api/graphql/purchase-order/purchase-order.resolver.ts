import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, ID, Info, Mutation, Query, Resolver } from 'type-graphql';
import type { Failure, Outcome } from '../../../application/outcome.js';
import { cancelPurchaseOrder } from '../../../application/purchase-orders/cancel-purchase-order.js';
import { createPurchaseOrder } from '../../../application/purchase-orders/create-purchase-order.js';
import { issueCreditNote } from '../../../application/purchase-orders/issue-credit-note.js';
import { recordPayment } from '../../../application/purchase-orders/record-payment.js';
import { reversePayment } from '../../../application/purchase-orders/reverse-payment.js';
import { sendPurchaseOrder } from '../../../application/purchase-orders/send-purchase-order.js';
import { findPurchaseOrder } from '../../../application/queries/purchase-order-view.js';
import { pageComplexity } from '../complexity.js';
import type { GraphQLContext } from '../context.js';
import { badUserInput } from '../errors.js';
import { presentFailures, presentProviderFailures } from '../user-error.js';
import { purchaseOrderConnection, relationsOfOrder, showPurchaseOrder } from './purchase-order.connection.js';
import {
  CancelPurchaseOrderInput,
  CancelPurchaseOrderPayload,
  CreatePurchaseOrderInput,
  CreatePurchaseOrderPayload,
  IssueCreditNoteInput,
  IssueCreditNotePayload,
  PurchaseOrdersArgs,
  RecordPaymentInput,
  RecordPaymentPayload,
  ReversePaymentInput,
  ReversePaymentPayload,
  SendPurchaseOrderInput,
  SendPurchaseOrderPayload,
} from './purchase-order.inputs.js';
import {
  PurchaseOrderConnection,
  PurchaseOrderType,
  presentCreditNote,
  presentPayment,
  presentPurchaseOrder,
} from './purchase-order.type.js';

@Resolver()
export class PurchaseOrderResolver {
  @Query(() => PurchaseOrderType, {
    nullable: true,
    description: 'One purchase order, by its id or its reference; null when there is none.',
  })
  async purchaseOrder(
    @Ctx() context: GraphQLContext,
    @Info() info: GraphQLResolveInfo,
    @Arg('id', () => ID, { nullable: true, description: 'Its id.' }) id?: string,
    @Arg('reference', () => String, { nullable: true, description: 'Its reference, e.g. `PO-7K2M9Q`.' })
    reference?: string,
  ) {
    if ((id == null) === (reference == null)) throw badUserInput('Give either "id" or "reference".');
    const by = id == null ? { reference: String(reference) } : { id };
    const order = await findPurchaseOrder(context.em, context.actor, by, relationsOfOrder(info));
    return order ? showPurchaseOrder(context, order) : null;
  }

  @Query(() => PurchaseOrderConnection, {
    complexity: pageComplexity,
    description: 'The purchase orders that you see, newest first unless sorted otherwise.',
  })
  async purchaseOrders(
    @Ctx() context: GraphQLContext,
    @Args(() => PurchaseOrdersArgs) args: PurchaseOrdersArgs,
    @Info() info: GraphQLResolveInfo,
  ) {
    return purchaseOrderConnection(context, args, info);
  }

  @Mutation(() => CreatePurchaseOrderPayload, { nullable: true, description: 'Creates a draft.' })
  async createPurchaseOrder(
    @Arg('input', { description: 'What is ordered.' }) input: CreatePurchaseOrderInput,
    @Ctx() context: GraphQLContext,
  ) {
    return orderPayload(context, await context.mutate((useCase) => createPurchaseOrder(useCase, input)));
  }

  @Mutation(() => SendPurchaseOrderPayload, {
    nullable: true,
    description: 'Marks a draft as sent. It e-mails nothing.',
  })
  async sendPurchaseOrder(
    @Arg('input', { description: 'What to mark.' }) input: SendPurchaseOrderInput,
    @Ctx() context: GraphQLContext,
  ) {
    return orderPayload(context, await context.mutate((useCase) => sendPurchaseOrder(useCase, input)));
  }

  @Mutation(() => CancelPurchaseOrderPayload, {
    nullable: true,
    description:
      'Cancels a purchase order for good, after voiding its unpaid invoice at the provider. May be repeated: it goes on where it was interrupted.',
  })
  async cancelPurchaseOrder(
    @Arg('input', { description: 'What to cancel.' }) input: CancelPurchaseOrderInput,
    @Ctx() context: GraphQLContext,
  ) {
    const outcome = await context.mutate((useCase) => cancelPurchaseOrder(useCase, input));
    return { ...(await orderPayload(context, outcome)), userErrors: presentProviderFailures(outcome) };
  }

  @Mutation(() => RecordPaymentPayload, {
    nullable: true,
    description: 'Books money that arrived outside the providers.',
  })
  async recordPayment(
    @Arg('input', { description: 'What arrived.' }) input: RecordPaymentInput,
    @Ctx() context: GraphQLContext,
  ) {
    return paymentPayload(context, await context.mutate((useCase) => recordPayment(useCase, input)));
  }

  @Mutation(() => ReversePaymentPayload, { nullable: true, description: 'Takes a manually recorded payment back.' })
  async reversePayment(
    @Arg('input', { description: 'What to take back.' }) input: ReversePaymentInput,
    @Ctx() context: GraphQLContext,
  ) {
    return paymentPayload(context, await context.mutate((useCase) => reversePayment(useCase, input)));
  }

  @Mutation(() => IssueCreditNotePayload, { nullable: true, description: 'Lowers what a purchase order owes.' })
  async issueCreditNote(
    @Arg('input', { description: 'What to credit.' }) input: IssueCreditNoteInput,
    @Ctx() context: GraphQLContext,
  ) {
    const outcome = await context.mutate((useCase) => issueCreditNote(useCase, input));
    const view = outcome.id === null ? undefined : await context.loaders.creditNote.load(outcome.id);
    const purchaseOrder = view ? await loadOrder(context, view.note.purchaseOrder.id) : null;
    const creditNote = view && purchaseOrder ? presentCreditNote(view, purchaseOrder.view.currencyCode) : null;
    return { purchaseOrder, creditNote, userErrors: presentFailures(outcome) };
  }
}

async function orderPayload(context: GraphQLContext, outcome: Outcome<Failure<string>>) {
  const purchaseOrder = outcome.id === null ? null : await loadOrder(context, outcome.id);
  return { purchaseOrder, userErrors: presentFailures(outcome) };
}

async function paymentPayload(context: GraphQLContext, outcome: Outcome<Failure<string>>) {
  const view = outcome.id === null ? undefined : await context.loaders.payment.load(outcome.id);
  const purchaseOrder = view ? await loadOrder(context, view.payment.purchaseOrder.id) : null;
  const payment = view && purchaseOrder ? presentPayment(view, purchaseOrder.view.currencyCode) : null;
  return { purchaseOrder, payment, userErrors: presentFailures(outcome) };
}

async function loadOrder({ loaders }: GraphQLContext, id: string): Promise<PurchaseOrderType | null> {
  const view = await loaders.purchaseOrder.load(id);
  return view ? presentPurchaseOrder(view) : null;
}
