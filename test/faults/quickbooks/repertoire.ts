import type { Repertoire } from '../repertoire.js';
import { QuickBooksStage } from './quickbooks-stage.js';
import type { StepName } from './steps.js';

const weights: Readonly<Record<StepName, number>> = {
  createOrder: 1,
  createOrderTwice: 1,
  markSent: 1,
  invoice: 4,
  invoiceFromBoth: 3,
  invoiceByDoubleClick: 3,
  email: 4,
  payPart: 6,
  payFully: 4,
  payTooMuch: 1,
  paySeveral: 3,
  editPaymentAmount: 3,
  editPaymentDay: 2,
  voidPayment: 2,
  deletePayment: 2,
  unapplyPayment: 1.5,
  movePayment: 1.5,
  depositPayment: 0.5,
  takeDeposit: 0.5,
  refund: 1,
  grantCredit: 2,
  voidInvoice: 1,
  deleteInvoice: 0.5,
  editInvoice: 1.5,
  rewriteInvoice: 1,
  cancel: 1,
  payManually: 1,
  payManuallyAndReverse: 1,
  creditHere: 1,
  sync: 3,
  expireTokens: 1,
  forgetRequestIds: 1,
  workOffEvents: 2,
  resume: 1,
  sweep: 1,
};

const invoicing: readonly StepName[] = ['invoice', 'invoiceFromBoth', 'invoiceByDoubleClick'];

const stepsThatRun: Readonly<Record<string, readonly StepName[]>> = {
  sendPurchaseOrder: ['markSent'],
  cancelPurchaseOrder: ['cancel'],
  sendQboInvoice: ['email'],
  syncQboInvoiceStatus: ['sync'],
  recordPayment: ['payManually'],
  reversePayment: ['payManuallyAndReverse'],
  issueCreditNote: ['creditHere'],
  processQboEvents: ['payPart', 'workOffEvents'],
  receiveWebhook: ['payPart'],
  sweepQboConnection: ['payPart', 'sweep'],
  resumeOperations: ['resume'],
};

export const quickbooks: Repertoire = {
  raise: (system, random) => QuickBooksStage.raise(system, random),
  weights,
  invoicing,
  stepsThatRun,
  resumable: 'createQboInvoice',
};
