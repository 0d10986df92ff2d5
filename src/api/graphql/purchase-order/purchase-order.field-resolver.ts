import { type GraphQLSchema, isObjectType } from 'graphql';
import { Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { type PageRequest, readPageRequest } from '../../../application/queries/page.js';
import { InvoiceStatus } from '../../../domain/invoice/invoice.status.js';
import { attentionOf } from '../../../domain/purchase-order/attention.js';
import { detailsComplexity, pageComplexity } from '../complexity.js';
import { ConferenceType, presentConference } from '../conference/conference.type.js';
import { ConnectionArgs, connectionOf, toConnection } from '../connection.js';
import type { GraphQLContext } from '../context.js';
import { InvoiceConnection, InvoiceType, presentInvoice } from '../invoice/invoice.type.js';
import { whenLoaded } from '../known-loader.js';
import { invoiceAt } from '../loaders.js';
import { presentQboInvoice, QboInvoiceType } from '../quickbooks/qbo-invoice.type.js';
import { presentStripeInvoice, StripeInvoiceType } from '../stripe/stripe-invoice.type.js';
import {
  AttentionType,
  CreditNoteConnection,
  LineItemType,
  PaymentConnection,
  PurchaseOrderType,
  presentCreditNote,
  presentLineItem,
  presentPayment,
} from './purchase-order.type.js';
import { PurchaseOrderEventConnection, presentPurchaseOrderEvent } from './purchase-order-event.type.js';

/**
 * What a purchase order refers to: mostly read with it, else one statement a field for all purchase orders of a request.
 * `resolveDirectly` calls the methods of the fields that lists show with the order, the context and the arguments.
 */
@Resolver(() => PurchaseOrderType)
export class PurchaseOrderFieldResolver {
  @FieldResolver(() => ConferenceType, { description: 'The conference it is for.' })
  conference(@Root() { view }: PurchaseOrderType, @Ctx() { loaders }: GraphQLContext) {
    return whenLoaded(loaders.conference.load(view.conferenceId), (found) => found && presentConference(found));
  }

  @FieldResolver(() => [LineItemType], { complexity: detailsComplexity, description: 'Its lines, in their order.' })
  lineItems(@Root() { id, view }: PurchaseOrderType, @Ctx() { loaders }: GraphQLContext) {
    return whenLoaded(loaders.lineItemsOfOrder.load(id), (lines) =>
      lines.map((line) => presentLineItem(line, view.currencyCode)),
    );
  }

  @FieldResolver(() => PaymentConnection, {
    complexity: pageComplexity,
    description: 'Its payments, reversed ones included, newest day first.',
  })
  payments(
    @Root() { id, view }: PurchaseOrderType,
    @Ctx() { loaders }: GraphQLContext,
    @Args(() => ConnectionArgs) args: PageRequest,
  ) {
    return whenLoaded(loaders.paymentsOfOrder.load(id), (payments) =>
      connectionOf(
        payments,
        args,
        ({ payment }) => [payment.paidOn, payment.id],
        (payment) => presentPayment(payment, view.currencyCode),
      ),
    );
  }

  @FieldResolver(() => CreditNoteConnection, {
    complexity: pageComplexity,
    description: 'Its credit notes, reversed ones included, newest first.',
  })
  creditNotes(
    @Root() { id, view }: PurchaseOrderType,
    @Ctx() { loaders }: GraphQLContext,
    @Args(() => ConnectionArgs) args: PageRequest,
  ) {
    return whenLoaded(loaders.creditNotesOfOrder.load(id), (notes) =>
      connectionOf(
        notes,
        args,
        ({ note }) => [note.createdAt.toISOString(), note.id],
        (note) => presentCreditNote(note, view.currencyCode),
      ),
    );
  }

  @FieldResolver(() => [AttentionType], {
    nullable: true,
    description: 'What a person should look at; empty when all is well. Null for a buyer portal.',
  })
  async attention(@Root() { id, view }: PurchaseOrderType, @Ctx() { loaders }: GraphQLContext) {
    const [{ current: invoice, others: otherInvoices }, unappliedCredits] = await Promise.all([
      loaders.invoicesOfOrder.load(id),
      loaders.unappliedCreditsOfOrder.load(id),
    ]);
    const isUnknown = invoice?.status === InvoiceStatus.UNKNOWN;
    const invoices = [...(invoice ? [invoice] : []), ...otherInvoices];
    const mayLackInvoice = invoice?.status === InvoiceStatus.VOIDED && view.cancelledAt === null;
    const [bookings, creation, failedSwitch] = await Promise.all([
      Promise.all(invoices.map((each) => loaders.bookedOnInvoice.load(each.id))),
      isUnknown ? loaders.unsettledCreationOfOrder.load(id) : undefined,
      mayLackInvoice ? loaders.failedSwitchOfInvoice.load(invoice.id) : undefined,
    ]);
    const booked = new Map(bookings.flatMap((each) => (each ? [[each.id, each]] : [])));
    const trouble = creation?.lastError;
    return attentionOf({ ...view, invoice, otherInvoices, booked, trouble, failedSwitch, unappliedCredits });
  }

  @FieldResolver(() => PurchaseOrderEventConnection, {
    nullable: true,
    complexity: pageComplexity,
    description: 'What happened to it, newest first, as the audit trail has it. Not for buyer portals.',
  })
  async history(
    @Root() { id }: PurchaseOrderType,
    @Args(() => ConnectionArgs) args: PageRequest,
    @Ctx() { loaders }: GraphQLContext,
  ) {
    const page = await loaders.historyOfOrder.load({ purchaseOrderId: id, window: readPageRequest(args) });
    return toConnection(page, presentPurchaseOrderEvent, () => loaders.historyLengthOfOrder.load(id));
  }

  @FieldResolver(() => InvoiceType, {
    nullable: true,
    description: 'Its live invoice, at whichever provider, else the latest one; null when there never was one.',
  })
  invoice(@Root() { id }: PurchaseOrderType, @Ctx() { loaders }: GraphQLContext) {
    return whenLoaded(loaders.invoicesOfOrder.load(id), ({ current }) => current && presentInvoice(current));
  }

  @FieldResolver(() => InvoiceConnection, {
    complexity: pageComplexity,
    description: 'All its invoices, voided and deleted ones included, newest first.',
  })
  invoices(
    @Root() { id }: PurchaseOrderType,
    @Ctx() { loaders }: GraphQLContext,
    @Args(() => ConnectionArgs) args: PageRequest,
  ) {
    return whenLoaded(loaders.invoicesOfOrder.load(id), ({ oldestFirst }) =>
      connectionOf(
        oldestFirst.toReversed(),
        args,
        (invoice) => [invoice.createdAt.toISOString(), invoice.id],
        presentInvoice,
      ),
    );
  }

  @FieldResolver(() => QboInvoiceType, {
    nullable: true,
    description: 'Its live invoice in QuickBooks, else the latest one there; null when there never was one.',
  })
  qboInvoice(@Root() { id }: PurchaseOrderType, @Ctx() { loaders }: GraphQLContext) {
    return whenLoaded(invoiceAt(loaders, id, 'QBO'), (invoice) => invoice && presentQboInvoice(invoice));
  }

  @FieldResolver(() => String, { nullable: true, description: "QuickBooks' id of that invoice." })
  qboInvoiceId(@Root() { id }: PurchaseOrderType, @Ctx() { loaders }: GraphQLContext) {
    return whenLoaded(invoiceAt(loaders, id, 'QBO'), (invoice) => invoice?.externalId);
  }

  @FieldResolver(() => String, { nullable: true, description: "The bookkeeper's page of that invoice." })
  qboInvoiceUrl(@Root() { id }: PurchaseOrderType, @Ctx() { loaders }: GraphQLContext) {
    return whenLoaded(invoiceAt(loaders, id, 'QBO'), (invoice) => invoice?.url);
  }

  @FieldResolver(() => StripeInvoiceType, {
    nullable: true,
    description: 'Its live invoice in Stripe, else the latest one there; null when there never was one.',
  })
  stripeInvoice(@Root() { id }: PurchaseOrderType, @Ctx() { loaders }: GraphQLContext) {
    return whenLoaded(invoiceAt(loaders, id, 'STRIPE'), (invoice) => invoice && presentStripeInvoice(invoice));
  }

  @FieldResolver(() => String, { nullable: true, description: "Stripe's id of that invoice." })
  stripeInvoiceId(@Root() { id }: PurchaseOrderType, @Ctx() { loaders }: GraphQLContext) {
    return whenLoaded(invoiceAt(loaders, id, 'STRIPE'), (invoice) => invoice?.externalId);
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'The hosted page where the buyer sees that invoice and pays it.',
  })
  stripeInvoiceUrl(@Root() { id }: PurchaseOrderType, @Ctx() { loaders }: GraphQLContext) {
    return whenLoaded(invoiceAt(loaders, id, 'STRIPE'), (invoice) => invoice?.payUrl);
  }
}

const OFTEN = ['conference', 'lineItems', 'payments', 'creditNotes', 'invoice', 'invoices'] as const;

/**
 * Calls the resolvers of fields that lists show by the hundred without type-graphql's layer, which makes a promise of
 * arguments, even where nothing is to be validated: everything about an order then becomes one, too (ADR 0028).
 */
export function resolveDirectly(schema: GraphQLSchema): void {
  const type = schema.getType('PurchaseOrder');
  if (!isObjectType(type)) throw new Error('there are no purchase orders in the schema');
  const resolver = new PurchaseOrderFieldResolver();
  for (const name of OFTEN) {
    const field = type.getFields()[name];
    if (!field) throw new Error(`purchase orders have no ${name}`);
    field.resolve = (order: PurchaseOrderType, args: PageRequest, context: GraphQLContext) =>
      resolver[name](order, context, args);
  }
}
