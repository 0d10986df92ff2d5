import type { EntityManager } from '@mikro-orm/postgresql';
import DataLoader from 'dataloader';
import type { Actor } from '../../application/context.js';
import { type ApiKeyView, findApiKeys } from '../../application/queries/api-keys.js';
import { findBulkInvoicingItems, findBulkInvoicings } from '../../application/queries/bulk-invoicings.js';
import {
  findConferences,
  findQboConnections,
  findQboSweeps,
  findQboUsage,
  findStripeConnections,
  type QboUsageView,
} from '../../application/queries/conferences.js';
import { findInvoiceHistories, type InvoiceEventView } from '../../application/queries/invoice-history.js';
import type { Page } from '../../application/queries/page.js';
import {
  type BookedOnInvoiceRow,
  type CreditNoteRow,
  type FailedSwitchRow,
  findBookedOnInvoices,
  findCreditNotesById,
  findFailedSwitches,
  findInvoicesById,
  findPaymentsById,
  findUnappliedCredits,
  findUnsettledCreations,
  type PaymentRow,
  type UnappliedCreditRow,
} from '../../application/queries/purchase-order-details.js';
import {
  countPurchaseOrderEvents,
  findPurchaseOrderHistories,
  type HistoryRequest,
  type PurchaseOrderEventView,
} from '../../application/queries/purchase-order-history.js';
import {
  type ConferenceView,
  type CreditNoteView,
  findRelation,
  type InvoiceView,
  type LineItemView,
  type OrderRelation,
  type OrderRelations,
  type PaymentView,
} from '../../application/queries/purchase-order-relations.js';
import {
  findPurchaseOrders,
  type PurchaseOrderView,
  type SeenPurchaseOrder,
} from '../../application/queries/purchase-order-view.js';
import { findWebhookEvents, type WebhookEventView } from '../../application/queries/webhook-events.js';
import type { BulkInvoicing } from '../../domain/bulk-invoicing/bulk-invoicing.entity.js';
import type { BulkInvoicingItem } from '../../domain/bulk-invoicing/bulk-invoicing-item.entity.js';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { type InvoiceProvider, isEnded } from '../../domain/invoice/invoice.status.js';
import type { ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import type { QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import type { QboSweep } from '../../domain/quickbooks/qbo-sweep.entity.js';
import type { StripeConnection } from '../../domain/stripe/stripe-connection.entity.js';

import { KnownLoader, whenLoaded } from './known-loader.js';

/** One statement per relation and request, however many objects ask for it. What the actor does not see is missing. */
export interface Loaders {
  readonly purchaseOrder: DataLoader<string, PurchaseOrderView | undefined>;
  readonly conference: KnownLoader<ConferenceView | undefined>;
  readonly qboConnection: DataLoader<string, QboConnection | undefined>;
  /** By the id of the connection; undefined before its first sweep. */
  readonly qboSweep: DataLoader<string, QboSweep | undefined>;
  readonly qboUsage: DataLoader<string, QboUsageView | undefined>;
  readonly stripeConnectionOfConference: DataLoader<string, StripeConnection | undefined>;
  /** By the id of the purchase order; undefined unless its invoice is being created. */
  readonly unsettledCreationOfOrder: DataLoader<string, ProviderOperation | undefined>;
  readonly payment: DataLoader<string, PaymentRow | undefined>;
  readonly creditNote: DataLoader<string, CreditNoteRow | undefined>;
  readonly apiKey: DataLoader<string, ApiKeyView | undefined>;
  readonly webhookEvent: DataLoader<string, WebhookEventView | undefined>;
  readonly bulkInvoicing: DataLoader<string, BulkInvoicing | undefined>;
  readonly itemsOfBulkInvoicing: DataLoader<string, BulkInvoicingItem[]>;
  readonly lineItemsOfOrder: KnownLoader<readonly LineItemView[]>;
  readonly paymentsOfOrder: KnownLoader<readonly PaymentView[]>;
  readonly creditNotesOfOrder: KnownLoader<readonly CreditNoteView[]>;
  readonly unappliedCreditsOfOrder: DataLoader<string, UnappliedCreditRow[]>;
  readonly bookedOnInvoice: DataLoader<string, BookedOnInvoiceRow | undefined>;
  readonly failedSwitchOfInvoice: DataLoader<string, FailedSwitchRow | undefined>;
  readonly invoice: DataLoader<string, Invoice | undefined>;
  readonly invoicesOfOrder: KnownLoader<OrderInvoices>;
  readonly historyOfInvoice: DataLoader<string, InvoiceEventView[]>;
  readonly historyOfOrder: DataLoader<HistoryRequest, Page<PurchaseOrderEventView>, string>;
  readonly historyLengthOfOrder: DataLoader<string, number>;
}

export interface OrderInvoices {
  readonly oldestFirst: readonly InvoiceView[];
  /** The live one, else the latest. */
  readonly current: InvoiceView | undefined;
  readonly others: readonly InvoiceView[];
}

export function createLoaders(em: EntityManager, actor: Actor): Loaders {
  const purchaseOrder = byId((ids) => findPurchaseOrders(em, actor, ids));
  /** Of what belongs to purchase orders that which the actor sees; whoever asks for it shows the order, too. */
  const visible = async <T>(rows: readonly T[], orderOf: (row: T) => { readonly id: string }): Promise<T[]> => {
    const orders = await Promise.all(rows.map((row) => purchaseOrder.load(orderOf(row).id)));
    return rows.filter((_, index) => orders[index] !== undefined);
  };
  return {
    purchaseOrder,
    conference: new KnownLoader<ConferenceView | undefined>(async (ids) => {
      const conferences = new Map((await findConferences(em, actor, ids)).map((found) => [found.id, found]));
      return ids.map((id) => conferences.get(id));
    }),
    qboConnection: byId((ids) => findQboConnections(em, ids)),
    qboSweep: single(
      (ids) => findQboSweeps(em, ids),
      ({ connection }) => connection.id,
    ),
    qboUsage: byId((ids) => findQboUsage(em, ids)),
    stripeConnectionOfConference: single(
      (ids) => findStripeConnections(em, ids),
      ({ conference }) => conference.id,
    ),
    payment: single(
      async (ids) => visible(await findPaymentsById(em, ids), ({ payment }) => payment.purchaseOrder),
      ({ payment }) => payment.id,
    ),
    creditNote: single(
      async (ids) => visible(await findCreditNotesById(em, ids), ({ note }) => note.purchaseOrder),
      ({ note }) => note.id,
    ),
    apiKey: byId((ids) => findApiKeys(em, actor, ids)),
    bulkInvoicing: byId((ids) => findBulkInvoicings(em, actor, ids)),
    itemsOfBulkInvoicing: many(
      (ids) => findBulkInvoicingItems(em, ids),
      ({ bulkInvoicing }) => bulkInvoicing.id,
    ),
    webhookEvent: byId(async (ids) => (actor.grants.isAdministrator ? findWebhookEvents(em, ids) : [])),
    lineItemsOfOrder: listOfOrder(em, 'lineItems'),
    paymentsOfOrder: listOfOrder(em, 'payments'),
    creditNotesOfOrder: listOfOrder(em, 'creditNotes'),
    unappliedCreditsOfOrder: many(
      (ids) => findUnappliedCredits(em, ids),
      (credit) => credit.purchaseOrderId,
    ),
    unsettledCreationOfOrder: single(
      (ids) => findUnsettledCreations(em, ids),
      ({ subject }) => subject,
    ),
    bookedOnInvoice: byId((ids) => findBookedOnInvoices(em, ids)),
    failedSwitchOfInvoice: byId((ids) => findFailedSwitches(em, ids)),
    invoice: byId(async (ids) => visible(await findInvoicesById(em, ids), (invoice) => invoice.purchaseOrder)),
    historyOfInvoice: many(
      (ids) => findInvoiceHistories(em, ids),
      ({ invoiceId }) => invoiceId,
    ),
    historyOfOrder: new DataLoader((requests) => findPurchaseOrderHistories(em, requests), {
      cacheKeyFn: (request) => JSON.stringify(request),
    }),
    historyLengthOfOrder: new DataLoader((ids) => countPurchaseOrderEvents(em, ids)),
    invoicesOfOrder: new KnownLoader(async (ids) => {
      const invoices = await findRelation(em, 'invoices', ids);
      return ids.map((id) => toOrderInvoices(invoices.get(id) ?? []));
    }),
  };
}

function listOfOrder<Name extends Exclude<OrderRelation, 'conference'>>(em: EntityManager, name: Name) {
  return new KnownLoader<OrderRelations[Name]>(async (ids) => {
    const lists = await findRelation(em, name, ids);
    // An order that is gone has no rows either, whose list is empty.
    return ids.map((id) => lists.get(id) ?? ([] as unknown as OrderRelations[Name]));
  });
}

/** Makes known what was read together with purchase orders, so that nobody reads it again. */
export function primeLoaders(loaders: Loaders, { view, relations }: SeenPurchaseOrder): void {
  const { conference, lineItems, payments, creditNotes, invoices } = relations;
  loaders.purchaseOrder.prime(view.id, view);
  if (conference) loaders.conference.prime(view.conferenceId, conference);
  if (lineItems) loaders.lineItemsOfOrder.prime(view.id, lineItems);
  if (payments) loaders.paymentsOfOrder.prime(view.id, payments);
  if (creditNotes) loaders.creditNotesOfOrder.prime(view.id, creditNotes);
  if (invoices) loaders.invoicesOfOrder.prime(view.id, toOrderInvoices(invoices));
}

function toOrderInvoices(oldestFirst: readonly InvoiceView[]): OrderInvoices {
  const current = liveOrLatest(oldestFirst);
  return { oldestFirst, current, others: oldestFirst.filter((invoice) => invoice !== current) };
}

function liveOrLatest(oldestFirst: readonly InvoiceView[]): InvoiceView | undefined {
  return oldestFirst.find(({ status }) => !isEnded(status)) ?? oldestFirst.at(-1);
}

/** Of the invoices of an order at one provider the live one, else the latest. */
export function invoiceAt(
  { invoicesOfOrder }: Loaders,
  orderId: string,
  provider: `${InvoiceProvider}`,
): InvoiceView | undefined | Promise<InvoiceView | undefined> {
  return whenLoaded(invoicesOfOrder.load(orderId), ({ oldestFirst }) =>
    liveOrLatest(oldestFirst.filter((invoice) => invoice.provider === provider)),
  );
}

function byId<T extends { readonly id: string }>(find: (ids: readonly string[]) => Promise<T[]>) {
  return single(find, (row) => row.id);
}

function single<T>(find: (ids: readonly string[]) => Promise<T[]>, keyOf: (row: T) => string) {
  return new DataLoader<string, T | undefined>(async (ids) => {
    const rows = new Map((await find(ids)).map((row) => [keyOf(row), row]));
    return ids.map((id) => rows.get(id));
  });
}

function many<T>(find: (ids: readonly string[]) => Promise<T[]>, keyOf: (row: T) => string) {
  return new DataLoader<string, T[]>(async (ids) => {
    const rows = Map.groupBy(await find(ids), keyOf);
    return ids.map((id) => rows.get(id) ?? []);
  });
}
