import { createQboInvoices } from '../../../src/application/bulk-invoicing/create-qbo-invoices.js';
import {
  dueBulkInvoicings,
  workOffBulkInvoicing,
} from '../../../src/application/bulk-invoicing/work-off-bulk-invoicing.js';
import { createConference } from '../../../src/application/conferences/create-conference.js';
import type { InvoicingContext } from '../../../src/application/invoicing/invoicing-context.js';
import { resumeOperations } from '../../../src/application/invoicing/resume-operations.js';
import { switchInvoiceProvider } from '../../../src/application/invoicing/switch-invoice-provider.js';
import type { Outcome } from '../../../src/application/outcome.js';
import { cancelPurchaseOrder } from '../../../src/application/purchase-orders/cancel-purchase-order.js';
import { createPurchaseOrder } from '../../../src/application/purchase-orders/create-purchase-order.js';
import { issueCreditNote } from '../../../src/application/purchase-orders/issue-credit-note.js';
import { recordPayment } from '../../../src/application/purchase-orders/record-payment.js';
import { reversePayment } from '../../../src/application/purchase-orders/reverse-payment.js';
import { sendPurchaseOrder } from '../../../src/application/purchase-orders/send-purchase-order.js';
import { configureQboConnection } from '../../../src/application/quickbooks/configure-qbo-connection.js';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import { dueQboSweeps } from '../../../src/application/quickbooks/due-sweeps.js';
import { sendQboInvoice } from '../../../src/application/quickbooks/send-qbo-invoice.js';
import { sweepQboConnection } from '../../../src/application/quickbooks/sweep-qbo-connection.js';
import { syncQboInvoiceStatus } from '../../../src/application/quickbooks/sync-qbo-invoice-status.js';
import { configureStripe } from '../../../src/application/stripe/configure-stripe.js';
import { createStripeInvoice } from '../../../src/application/stripe/create-stripe-invoice.js';
import { sendStripeInvoice } from '../../../src/application/stripe/send-stripe-invoice.js';
import { dueStripeSweeps, sweepStripeConnection } from '../../../src/application/stripe/sweep-stripe-connection.js';
import { syncStripeInvoiceStatus } from '../../../src/application/stripe/sync-stripe-invoice-status.js';
import { processQboEvents } from '../../../src/application/webhooks/process-qbo-events.js';
import { processStripeEvents } from '../../../src/application/webhooks/process-stripe-events.js';
import type { Calls, Job } from '../system.js';

export type CallHandlers = {
  readonly [N in keyof Calls]: (
    context: InvoicingContext,
    input: Calls[N],
  ) => Promise<Outcome<{ readonly code: string }>>;
};
export type JobHandlers = { readonly [J in Job]: (context: InvoicingContext, scope: string) => Promise<unknown> };

export interface UseCases {
  readonly calls: CallHandlers;
  readonly jobs: JobHandlers;
}

/** The app's own, as GraphQL and the worker call them. */
export const useCases: UseCases = {
  calls: {
    createConference,
    configureQboConnection,
    createPurchaseOrder,
    sendPurchaseOrder,
    cancelPurchaseOrder,
    createQboInvoice,
    createQboInvoices,
    sendQboInvoice,
    syncQboInvoiceStatus,
    configureStripe,
    createStripeInvoice,
    sendStripeInvoice,
    syncStripeInvoiceStatus,
    switchInvoiceProvider,
    recordPayment,
    reversePayment,
    issueCreditNote,
  },
  jobs: {
    processQboEvents,
    resumeOperations: (context) => resumeOperations(context),
    workOffBulkInvoicing: async (context, realmId) => {
      const errors: unknown[] = [];
      for (const id of await dueBulksOf(context, realmId)) {
        await workOffBulkInvoicing(context, id, (error) => errors.push(error));
      }
      if (errors.length > 0) throw new AggregateError(errors, 'parts of a bulk were not worked off');
    },
    sweepQboConnection: async (context, realmId) => {
      const due = (await dueQboSweeps(context)).filter((sweep) => sweep.companyId === realmId);
      for (const { connectionId } of due) await sweepQboConnection(context, connectionId);
    },
    processStripeEvents,
    sweepStripeConnection: async (context, connectionId) => {
      const due = (await dueStripeSweeps(context)).filter((sweep) => sweep.connectionId === connectionId);
      for (const each of due) await sweepStripeConnection(context, each.connectionId);
    },
  },
};

/** Only those of the story: what another one left behind is not this one's business. */
async function dueBulksOf(context: InvoicingContext, realmId: string): Promise<string[]> {
  const due = await dueBulkInvoicings(context);
  if (due.length === 0) return [];
  const rows = await context.em.fork().execute<{ id: string }[]>(
    `select distinct item.bulk_invoicing_id as id from bulk_invoicing_item item
     join purchase_order on purchase_order.id = item.purchase_order_id
     join conference on conference.id = purchase_order.conference_id
     join qbo_connection on qbo_connection.id = conference.qbo_connection_id
     where item.bulk_invoicing_id in (?) and realm_id = ? order by 1`,
    [due, realmId],
  );
  return rows.map(({ id }) => id);
}
