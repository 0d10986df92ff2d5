import type { EntityManager } from '@mikro-orm/postgresql';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceProvider } from '../../domain/invoice/invoice.status.js';
import { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { StripeConnection } from '../../domain/stripe/stripe-connection.entity.js';
import type { Outcome } from '../outcome.js';
import { createQboInvoice } from '../quickbooks/create-qbo-invoice.js';
import type { CreateQboInvoiceCode } from '../quickbooks/create-qbo-invoice.outcome.js';
import { companyFor } from '../quickbooks/prepare-invoice.js';
import type { QboFailure } from '../quickbooks/qbo-failure.js';
import { differences as qboDifferences } from '../quickbooks/record-invoice.js';
import { usableConnection } from '../quickbooks/usable-connection.js';
import { createStripeInvoice } from '../stripe/create-stripe-invoice.js';
import type { CreateStripeInvoiceCode } from '../stripe/create-stripe-invoice.outcome.js';
import { whyStripeCannotTake } from '../stripe/prepare-stripe-invoice.js';
import { differences as stripeDifferences } from '../stripe/record-stripe-invoice.js';
import { lookForStripeCustomer } from '../stripe/resolve-stripe-customer.js';
import { describeStripeFailure, type StripeFailure } from '../stripe/stripe-failure.js';
import { checkStripeConnection } from '../stripe/usable-stripe-connection.js';
import type { InvoicingContext } from './invoicing-context.js';

export type CreateFailure = QboFailure<CreateQboInvoiceCode> | StripeFailure<CreateStripeInvoiceCode>;

/** How a provider takes part in a switch to it. */
export interface SwitchTarget {
  readonly provider: InvoiceProvider;
  /** The connection of the order's conference, or why there is none to use. */
  connect(
    tx: EntityManager,
    order: PurchaseOrder,
  ): Promise<{ readonly id: string } | { readonly failure: CreateFailure }>;
  /** Why it cannot invoice the order, as far as that can be told before its invoice elsewhere is voided. */
  whyNot(purchaseOrderId: string): Promise<CreateFailure | undefined>;
  create(purchaseOrderId: string): Promise<Outcome<CreateFailure>>;
  /** Empty, or what to say of an invoice that is not what was asked for. */
  differences(order: PurchaseOrder, invoice: Invoice): readonly CreateFailure[];
}

export function switchTarget(context: InvoicingContext, provider: `${InvoiceProvider}`): SwitchTarget {
  return provider === InvoiceProvider.QBO ? quickbooks(context) : stripe(context);
}

function quickbooks(context: InvoicingContext): SwitchTarget {
  return {
    provider: InvoiceProvider.QBO,
    connect: async (_tx, order) => {
      const usable = await usableConnection(context, order, null);
      return 'failure' in usable ? usable : usable.connection;
    },
    whyNot: async (id) => {
      const order = await context.em.fork().findOneOrFail(PurchaseOrder, id);
      const usable = await usableConnection(context, order, null);
      if ('failure' in usable) return usable.failure;
      const company = await companyFor(context, usable.connection, order);
      return 'failure' in company ? company.failure : undefined;
    },
    create: (purchaseOrderId) => createQboInvoice(context, { purchaseOrderId }),
    differences: qboDifferences,
  };
}

function stripe(context: InvoicingContext): SwitchTarget {
  const usableFor = async (em: EntityManager, order: PurchaseOrder) =>
    checkStripeConnection(context, await em.findOne(StripeConnection, { conference: order.conference.id }));
  return {
    provider: InvoiceProvider.STRIPE,
    connect: async (tx, order) => {
      const usable = await usableFor(tx, order);
      return 'failure' in usable ? usable : usable.connection;
    },
    whyNot: async (id) => {
      const em = context.em.fork();
      const order = await em.findOneOrFail(PurchaseOrder, id);
      const usable = await usableFor(em, order);
      if ('failure' in usable) return usable.failure;
      const { connection } = usable;
      const problem = await whyStripeCannotTake(context, { order, connection });
      if (problem) return problem;
      const customer = await lookForStripeCustomer(context, { order, connection });
      return customer.ok ? undefined : describeStripeFailure(customer.failure);
    },
    create: (purchaseOrderId) => createStripeInvoice(context, { purchaseOrderId }),
    differences: stripeDifferences,
  };
}
