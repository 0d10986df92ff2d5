import type { Invoice, JsonObject } from '../books/model.js';
import type { Work } from '../books/work.js';
import { checkAmount } from '../currencies.js';
import { invalidRequest } from '../errors.js';
import { flag } from '../params.js';
import { sum } from '../units.js';
import { findCustomer } from './customers.js';
import { type Endpoint, endpoint } from './endpoint.js';
import { afterBalance, amountsOf, paymentsOf, usableBalance } from './invoice-amounts.js';
import { followBalance, presentInvoicePayment, recordPayment, requestPayment } from './invoice-payments.js';
import { changingInvoice, finalDueDate, findInvoice } from './invoices.js';
import { addresseeNow, presentInvoice } from './present-invoice.js';

export const invoiceLifecycleEndpoints: readonly Endpoint[] = [
  endpoint('POST', '/v1/invoices/:id/finalize', {
    takes: { auto_advance: flag.optional() },
    returns: 'invoice',
    run: (work, params, id) => finalize(work, findInvoice(work, id), params.auto_advance),
  }),
  endpoint('POST', '/v1/invoices/:id/send', {
    takes: {},
    returns: 'invoice',
    run: (work, _params, id) => send(work, findInvoice(work, id)),
  }),
  endpoint('POST', '/v1/invoices/:id/void', {
    takes: {},
    returns: 'invoice',
    run: (work, _params, id) => voidInvoice(work, findInvoice(work, id)),
  }),
  endpoint('POST', '/v1/invoices/:id/mark_uncollectible', {
    takes: {},
    returns: 'invoice',
    run: (work, _params, id) => markUncollectible(work, findInvoice(work, id)),
  }),
  endpoint('POST', '/v1/invoices/:id/pay', {
    takes: { paid_out_of_band: flag.optional() },
    returns: 'invoice',
    run: (work, params, id) => {
      const invoice = findInvoice(work, id);
      if (params.paid_out_of_band !== true) {
        const message =
          'There is no `default_payment_method` set on this Customer or Invoice. Please set either a default payment method on the Customer or Invoice.';
        throw invalidRequest(message, { code: 'resource_missing' });
      }
      return payOutOfBand(work, invoice);
    },
  }),
];

/** From now on the invoice asks for money, and neither its lines nor its addressee change. */
function finalize(work: Work, invoice: Invoice, autoAdvance: boolean | undefined): JsonObject {
  if (invoice.status !== 'draft') {
    const message = "This invoice is already finalized, you can't re-finalize a non-draft invoice.";
    throw invalidRequest(message, { code: 'invoice_not_editable' });
  }
  const { total } = amountsOf(work, invoice);
  checkAmount(total, invoice.currency, 'amount');
  const customer = findCustomer(work, invoice.customer);
  const balance = usableBalance(work, invoice);
  const { due, endingBalance } = afterBalance(total, balance);
  changingInvoice(work, invoice, () => {
    if (autoAdvance !== undefined) invoice.autoAdvance = autoAdvance;
    if (invoice.number === null) {
      invoice.number = `${customer.invoicePrefix}-${`${customer.nextInvoiceSequence}`.padStart(4, '0')}`;
      customer.nextInvoiceSequence += 1;
    }
    invoice.addressee = addresseeNow(work, invoice);
    invoice.dueDate = finalDueDate(work, invoice);
    invoice.finalizedAt = work.seconds;
    invoice.startingBalance = balance;
    invoice.endingBalance = endingBalance;
    invoice.status = 'open';
    if (endingBalance !== balance) customer.balance = endingBalance;
    if (due !== 0) requestPayment(work, invoice, due, true);
  });
  work.emit('invoice.finalized', presentInvoice(work, invoice));
  if (due === 0) becomePaid(work, invoice);
  return presentInvoice(work, invoice);
}

/** Nothing is open any more. */
export function becomePaid(work: Work, invoice: Invoice): void {
  const paid = changingInvoice(work, invoice, () => {
    invoice.status = 'paid';
    invoice.paidAt = work.seconds;
    followBalance(work, invoice);
  });
  work.emit('invoice.paid', paid);
  work.emit('invoice.payment_succeeded', paid);
}

function send(work: Work, invoice: Invoice): JsonObject {
  if (invoice.collectionMethod !== 'send_invoice') {
    const message = "You can only send invoices whose collection_method is 'send_invoice'.";
    throw invalidRequest(message);
  }
  // The provider would finalise a draft on its way: here that is one step for itself.
  if (invoice.status !== 'open' && invoice.status !== 'paid') {
    throw invalidRequest(`You can only manually send an invoice if it's open. This invoice is ${invoice.status}.`);
  }
  const presented = presentInvoice(work, invoice);
  work.books.emails.push({ invoice: invoice.id, email: invoice.addressee?.email ?? '', at: work.now });
  work.emit('invoice.sent', presented);
  return presented;
}

export function voidInvoice(work: Work, invoice: Invoice): JsonObject {
  if (invoice.status !== 'open' && invoice.status !== 'uncollectible') {
    throw invalidRequest("You can only pass in open invoices. This invoice isn't open.");
  }
  if (hasPayment(work, invoice, 'processing')) {
    throw invalidRequest('You cannot void an invoice that has a payment in processing.');
  }
  if (amountsOf(work, invoice).paid !== 0 && !work.settings.voidPartlyPaid) {
    throw invalidRequest('You cannot void an invoice that has been partially paid.');
  }
  const presented = changingInvoice(work, invoice, () => {
    invoice.status = 'void';
    invoice.voidedAt = work.seconds;
    followBalance(work, invoice);
  });
  work.emit('invoice.voided', presented);
  return presented;
}

function hasPayment(work: Work, invoice: Invoice, status: string): boolean {
  return paymentsOf(work, invoice).some(
    ({ payment }) =>
      payment.type === 'payment_intent' && work.books.paymentIntents.get(payment.payment_intent)?.status === status,
  );
}

export function markUncollectible(work: Work, invoice: Invoice): JsonObject {
  if (invoice.status !== 'open') {
    throw invalidRequest("You can only pass in open invoices. This invoice isn't open.");
  }
  const presented = changingInvoice(work, invoice, () => {
    invoice.status = 'uncollectible';
    invoice.uncollectibleAt = work.seconds;
  });
  work.emit('invoice.marked_uncollectible', presented);
  return presented;
}

/** All that is open was received by other means. */
export function payOutOfBand(work: Work, invoice: Invoice): JsonObject {
  if (invoice.status !== 'open' && invoice.status !== 'uncollectible') throw notPayable(invoice);
  if (hasPayment(work, invoice, 'processing')) {
    throw invalidRequest('This invoice has a payment in processing.');
  }
  const { remaining } = amountsOf(work, invoice);
  invoice.paidOffStripe = sum(invoice.paidOffStripe, remaining);
  if (work.settings.outOfBandPayments === 'listed') {
    work.emit('invoice_payment.paid', presentInvoicePayment(work, recordPayment(work, invoice, remaining)));
  }
  becomePaid(work, invoice);
  return presentInvoice(work, invoice);
}

export function notPayable(invoice: Invoice) {
  const messages: Partial<Record<string, string>> = {
    paid: 'Invoice is already paid',
    void: 'Voided invoices cannot be paid.',
  };
  return invalidRequest(messages[invoice.status] ?? 'Only open invoices can be paid.');
}
