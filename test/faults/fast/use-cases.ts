import { createConference } from '../../../src/application/conferences/create-conference.js';
import type { Outcome } from '../../../src/application/outcome.js';
import { cancelPurchaseOrder } from '../../../src/application/purchase-orders/cancel-purchase-order.js';
import { createPurchaseOrder } from '../../../src/application/purchase-orders/create-purchase-order.js';
import { issueCreditNote } from '../../../src/application/purchase-orders/issue-credit-note.js';
import { recordPayment } from '../../../src/application/purchase-orders/record-payment.js';
import { reversePayment } from '../../../src/application/purchase-orders/reverse-payment.js';
import { sendPurchaseOrder } from '../../../src/application/purchase-orders/send-purchase-order.js';
import { configureQboConnection } from '../../../src/application/quickbooks/configure-qbo-connection.js';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import { dueSweeps } from '../../../src/application/quickbooks/due-sweeps.js';
import type { QboContext } from '../../../src/application/quickbooks/qbo-context.js';
import { resumeOperations } from '../../../src/application/quickbooks/resume-operations.js';
import { sendQboInvoice } from '../../../src/application/quickbooks/send-qbo-invoice.js';
import { sweepQboConnection } from '../../../src/application/quickbooks/sweep-qbo-connection.js';
import { syncQboInvoiceStatus } from '../../../src/application/quickbooks/sync-qbo-invoice-status.js';
import { processQboEvents } from '../../../src/application/webhooks/process-qbo-events.js';
import type { Calls, Job } from '../system.js';

export type CallHandlers = {
  readonly [N in keyof Calls]: (context: QboContext, input: Calls[N]) => Promise<Outcome<{ readonly code: string }>>;
};
export type JobHandlers = { readonly [J in Job]: (context: QboContext, realmId: string) => Promise<unknown> };

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
    sendQboInvoice,
    syncQboInvoiceStatus,
    recordPayment,
    reversePayment,
    issueCreditNote,
  },
  jobs: {
    processQboEvents,
    resumeOperations: (context) => resumeOperations(context),
    sweepQboConnection: async (context, realmId) => {
      const due = (await dueSweeps(context)).filter((sweep) => sweep.realmId === realmId);
      for (const { connectionId } of due) await sweepQboConnection(context, connectionId);
    },
  },
};
