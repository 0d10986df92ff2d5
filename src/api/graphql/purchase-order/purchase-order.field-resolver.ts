import { Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { type PageRequest, pageOf, readPageRequest } from '../../../application/queries/page.js';
import { InvoiceStatus } from '../../../domain/invoice/invoice.status.js';
import { attentionOf } from '../../../domain/purchase-order/attention.js';
import { detailsComplexity, pageComplexity } from '../complexity.js';
import { ConferenceType, presentConference } from '../conference/conference.type.js';
import { ConnectionArgs, toConnection } from '../connection.js';
import type { GraphQLContext } from '../context.js';
import { InvoiceType, presentInvoice } from '../invoice/invoice.type.js';
import { invoiceAt } from '../loaders.js';
import { presentQboInvoice, QboInvoiceType } from '../quickbooks/qbo-invoice.type.js';
import { presentStripeInvoice, StripeInvoiceType } from '../stripe/stripe-invoice.type.js';
import {
  AttentionType,
  CreditNoteType,
  LineItemType,
  PaymentConnection,
  PurchaseOrderType,
  presentCreditNote,
  presentLineItem,
  presentPayment,
} from './purchase-order.type.js';
import { PurchaseOrderEventConnection, presentPurchaseOrderEvent } from './purchase-order-event.type.js';

/** What a purchase order refers to; each field is one statement for all purchase orders of a request. */
@Resolver(() => PurchaseOrderType)
export class PurchaseOrderFieldResolver {
  @FieldResolver(() => ConferenceType, { description: 'The conference it is for.' })
  async conference(@Root() { view }: PurchaseOrderType, @Ctx() { loaders }: GraphQLContext) {
    const conference = await loaders.conference.load(view.conferenceId);
    return conference && presentConference(conference);
  }

  @FieldResolver(() => [LineItemType], { complexity: detailsComplexity, description: 'Its lines, in their order.' })
  async lineItems(@Root() { id, view }: PurchaseOrderType, @Ctx() { loaders }: GraphQLContext) {
    const lines = await loaders.lineItemsOfOrder.load(id);
    return lines.map((line) => presentLineItem(line, view.currencyCode));
  }

  @FieldResolver(() => PaymentConnection, {
    complexity: detailsComplexity,
    description: 'Its payments, reversed ones included, newest day first.',
  })
  async payments(
    @Root() { id, view }: PurchaseOrderType,
    @Args(() => ConnectionArgs) args: PageRequest,
    @Ctx() { loaders }: GraphQLContext,
  ) {
    const payments = await loaders.paymentsOfOrder.load(id);
    const page = pageOf(payments, args, ({ payment }) => [payment.paidOn, payment.id]);
    return toConnection(
      page,
      (payment) => presentPayment(payment, view.currencyCode),
      () => payments.length,
    );
  }

  @FieldResolver(() => [CreditNoteType], {
    complexity: detailsComplexity,
    description: 'Its credit notes, reversed ones included, newest first.',
  })
  async creditNotes(@Root() { id, view }: PurchaseOrderType, @Ctx() { loaders }: GraphQLContext) {
    const notes = await loaders.creditNotesOfOrder.load(id);
    return notes.map((note) => presentCreditNote(note, view.currencyCode));
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
  async invoice(@Root() { id }: PurchaseOrderType, @Ctx() { loaders }: GraphQLContext) {
    const { current } = await loaders.invoicesOfOrder.load(id);
    return current && presentInvoice(current);
  }

  @FieldResolver(() => [InvoiceType], {
    complexity: detailsComplexity,
    description: 'All its invoices, voided and deleted ones included, newest first.',
  })
  async invoices(@Root() { id }: PurchaseOrderType, @Ctx() { loaders }: GraphQLContext) {
    return (await loaders.invoicesOfOrder.load(id)).oldestFirst.toReversed().map(presentInvoice);
  }

  @FieldResolver(() => QboInvoiceType, {
    nullable: true,
    description: 'Its live invoice in QuickBooks, else the latest one there; null when there never was one.',
  })
  async qboInvoice(@Root() { id }: PurchaseOrderType, @Ctx() { loaders }: GraphQLContext) {
    const invoice = invoiceAt(await loaders.invoicesOfOrder.load(id), 'QBO');
    return invoice && presentQboInvoice(invoice);
  }

  @FieldResolver(() => String, { nullable: true, description: "QuickBooks' id of that invoice." })
  async qboInvoiceId(@Root() { id }: PurchaseOrderType, @Ctx() { loaders }: GraphQLContext) {
    return invoiceAt(await loaders.invoicesOfOrder.load(id), 'QBO')?.externalId;
  }

  @FieldResolver(() => String, { nullable: true, description: "The bookkeeper's page of that invoice." })
  async qboInvoiceUrl(@Root() { id }: PurchaseOrderType, @Ctx() { loaders }: GraphQLContext) {
    return invoiceAt(await loaders.invoicesOfOrder.load(id), 'QBO')?.url;
  }

  @FieldResolver(() => StripeInvoiceType, {
    nullable: true,
    description: 'Its live invoice in Stripe, else the latest one there; null when there never was one.',
  })
  async stripeInvoice(@Root() { id }: PurchaseOrderType, @Ctx() { loaders }: GraphQLContext) {
    const invoice = invoiceAt(await loaders.invoicesOfOrder.load(id), 'STRIPE');
    return invoice && presentStripeInvoice(invoice);
  }

  @FieldResolver(() => String, { nullable: true, description: "Stripe's id of that invoice." })
  async stripeInvoiceId(@Root() { id }: PurchaseOrderType, @Ctx() { loaders }: GraphQLContext) {
    return invoiceAt(await loaders.invoicesOfOrder.load(id), 'STRIPE')?.externalId;
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'The hosted page where the buyer sees that invoice and pays it.',
  })
  async stripeInvoiceUrl(@Root() { id }: PurchaseOrderType, @Ctx() { loaders }: GraphQLContext) {
    return invoiceAt(await loaders.invoicesOfOrder.load(id), 'STRIPE')?.payUrl;
  }
}
