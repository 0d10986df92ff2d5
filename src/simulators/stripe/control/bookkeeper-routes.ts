import type { AddRoute } from '../../common/control-route.js';
import type { Invoice } from '../books/model.js';
import type { Work } from '../books/work.js';
import { createCreditNote, findCreditNote, voidCreditNote } from '../resources/credit-notes.js';
import { closeDispute, findDispute, openDispute, presentDispute } from '../resources/disputes.js';
import { amountsOf } from '../resources/invoice-amounts.js';
import { markUncollectible, payOutOfBand, voidInvoice } from '../resources/invoice-lifecycle.js';
import { deleteDraft, findInvoice } from '../resources/invoices.js';
import { pay, settle } from '../resources/paying.js';
import { findPaymentIntent, presentPaymentIntent } from '../resources/payment-intents.js';
import { presentPaymentRecord, refundPaymentRecord } from '../resources/payment-records.js';
import { presentCreditNote } from '../resources/present-credit-note.js';
import { presentInvoice } from '../resources/present-invoice.js';
import { failRefund, findRefund, latestCharge, presentRefund, refund } from '../resources/refunds.js';
import type { Simulation } from '../simulation.js';
import { atLeastZero, difference } from '../units.js';
import { actIn } from './control-route.js';
import {
  closeDisputeOrder,
  creditNoteOrder,
  disputeOrder,
  failRefundOrder,
  invoiceOrder,
  payOrder,
  refundOrder,
  refundRecordOrder,
  settleOrder,
  voidCreditNoteOrder,
} from './orders.js';

const PARAMS = { refund: 'refund_amount', credit: 'credit_amount', out_of_band: 'out_of_band_amount' } as const;

/** What buyers, banks and people in the provider's dashboard do. */
export function bookkeeperRoutes(simulation: Simulation, add: AddRoute): void {
  paymentRoutes(simulation, add);
  invoiceRoutes(simulation, add);
  refundRoutes(simulation, add);
  creditNoteRoutes(simulation, add);
}

function paymentRoutes(simulation: Simulation, add: AddRoute): void {
  add('post', '/pay', (body) => {
    const { accountId, invoiceId, ...paying } = payOrder.parse(body);
    return actIn(simulation, accountId, (work) => {
      const invoice = findInvoice(work, invoiceId);
      const intent = pay(work, invoice, paying);
      return { paymentIntent: presentPaymentIntent(work, intent), invoice: presentInvoice(work, invoice) };
    });
  });
  add('post', '/settle-payment', (body) => {
    const { accountId, paymentIntentId, outcome } = settleOrder.parse(body);
    return actIn(simulation, accountId, (work) => {
      const intent = findPaymentIntent(work, paymentIntentId);
      settle(work, intent, outcome);
      return { paymentIntent: presentPaymentIntent(work, intent) };
    });
  });
}

function invoiceRoutes(simulation: Simulation, add: AddRoute): void {
  const addInvoiceRoute = (path: string, act: (work: Work, invoice: Invoice) => object): void => {
    add('post', path, (body) => {
      const { accountId, invoiceId } = invoiceOrder.parse(body);
      return actIn(simulation, accountId, (work) => ({ invoice: act(work, findInvoice(work, invoiceId)) }));
    });
  };
  addInvoiceRoute('/pay-out-of-band', payOutOfBand);
  addInvoiceRoute('/void-invoice', voidInvoice);
  addInvoiceRoute('/mark-uncollectible', markUncollectible);
  addInvoiceRoute('/delete-draft', deleteDraft);
  addInvoiceRoute('/overdue', (work, invoice) => {
    const presented = presentInvoice(work, invoice);
    work.emit('invoice.overdue', presented);
    return presented;
  });
}

function refundRoutes(simulation: Simulation, add: AddRoute): void {
  add('post', '/refund', (body) => {
    const { accountId, paymentIntentId, amount } = refundOrder.parse(body);
    return actIn(simulation, accountId, (work) => {
      const given = { amount, reason: null, metadata: {} };
      return { refund: presentRefund(refund(work, latestCharge(work, paymentIntentId), given)) };
    });
  });
  add('post', '/refund-payment-record', (body) => {
    const { accountId, paymentRecordId, amount } = refundRecordOrder.parse(body);
    return actIn(simulation, accountId, (work) => ({
      paymentRecord: presentPaymentRecord(work, refundPaymentRecord(work, paymentRecordId, amount)),
    }));
  });
  add('post', '/fail-refund', (body) => {
    const { accountId, refundId } = failRefundOrder.parse(body);
    return actIn(simulation, accountId, (work) => {
      const failed = findRefund(work, refundId);
      failRefund(work, failed);
      return { refund: presentRefund(failed) };
    });
  });
  add('post', '/dispute', (body) => {
    const { accountId, paymentIntentId, amount } = disputeOrder.parse(body);
    return actIn(simulation, accountId, (work) => ({
      dispute: presentDispute(work, openDispute(work, latestCharge(work, paymentIntentId), amount)),
    }));
  });
  add('post', '/close-dispute', (body) => {
    const { accountId, disputeId, outcome } = closeDisputeOrder.parse(body);
    return actIn(simulation, accountId, (work) => {
      const dispute = findDispute(work, disputeId);
      closeDispute(work, dispute, outcome);
      return { dispute: presentDispute(work, dispute) };
    });
  });
}

function creditNoteRoutes(simulation: Simulation, add: AddRoute): void {
  add('post', '/credit-note', (body) => {
    const { accountId, invoiceId, amount, paidPart } = creditNoteOrder.parse(body);
    return actIn(simulation, accountId, (work) => {
      const { remaining } = amountsOf(work, findInvoice(work, invoiceId));
      const paid = atLeastZero(difference(amount, remaining));
      const params = { invoice: invoiceId, amount, ...(paid === 0 ? {} : { [PARAMS[paidPart]]: paid }) };
      return { creditNote: presentCreditNote(work, createCreditNote(work, params)) };
    });
  });
  add('post', '/void-credit-note', (body) => {
    const { accountId, creditNoteId } = voidCreditNoteOrder.parse(body);
    return actIn(simulation, accountId, (work) => ({
      creditNote: presentCreditNote(work, voidCreditNote(work, findCreditNote(work, creditNoteId))),
    }));
  });
}
