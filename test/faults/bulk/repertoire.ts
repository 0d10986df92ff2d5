import type { Repertoire } from '../repertoire.js';
import { BulkStage } from './bulk-stage.js';
import type { StepName } from './steps.js';

const weights: Partial<Readonly<Record<StepName, number>>> = {
  createOrders: 2,
  createOrderTwice: 0.5,
  invoice: 2,
  invoiceFromBoth: 1,
  invoiceAll: 4,
  invoiceSome: 3,
  invoiceAllTwice: 2,
  invoiceOverlapping: 2,
  workOff: 3,
  workOffFromBoth: 2,
  workOffWhileInvoicing: 3,
  workOffWhileCancelling: 2,
  workOffWhileResuming: 3,
  email: 0.5,
  payPart: 1,
  payFully: 1,
  voidInvoice: 1,
  deleteInvoice: 0.5,
  editInvoice: 0.5,
  rewriteInvoice: 0.5,
  cancel: 1,
  payManually: 1,
  creditHere: 0.5,
  sync: 1,
  expireTokens: 1,
  forgetRequestIds: 1.5,
  workOffEvents: 1,
  resume: 3,
  sweep: 0.5,
};

const invoicing: readonly StepName[] = ['createOrders', 'invoiceAll', 'invoiceAll', 'invoiceSome'];

const stepsThatRun: Readonly<Record<string, readonly StepName[]>> = {
  createQboInvoices: ['invoiceAll'],
  workOffBulkInvoicing: ['createOrders', 'invoiceAll', 'workOff'],
  resumeOperations: ['resume'],
  createQboInvoice: ['invoice'],
  cancelPurchaseOrder: ['cancel'],
  sendPurchaseOrder: ['markSent'],
  sendQboInvoice: ['email'],
  syncQboInvoiceStatus: ['sync'],
  recordPayment: ['payManually'],
  issueCreditNote: ['creditHere'],
  processQboEvents: ['payPart', 'workOffEvents'],
  receiveWebhook: ['payPart'],
  sweepQboConnection: ['payPart', 'sweep'],
};

export const bulk: Repertoire = {
  raise: (system, random) => BulkStage.raise(system, random),
  weights: weights as Readonly<Record<string, number>>,
  invoicing,
  stepsThatRun,
  resumable: 'workOffBulkInvoicing',
  onlyUseCases: ['createQboInvoices', 'workOffBulkInvoicing', 'resumeOperations'],
};
