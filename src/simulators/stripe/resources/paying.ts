import type { Charge, Invoice, InvoicePayment, PaymentIntent } from '../books/model.js';
import type { Work } from '../books/work.js';
import { checkAmount } from '../currencies.js';
import { invalidRequest } from '../errors.js';
import { newId } from '../ids.js';
import { atLeastZero, difference, type Units } from '../units.js';
import { findCharge, presentCharge } from './charges.js';
import { knownCustomer } from './customers.js';
import { amountsOf, paymentsOf } from './invoice-amounts.js';
import { becomePaid, notPayable } from './invoice-lifecycle.js';
import { followBalance, presentInvoicePayment, requestPayment } from './invoice-payments.js';
import { changingInvoice, findInvoice } from './invoices.js';
import { findPaymentIntent, presentPaymentIntent } from './payment-intents.js';
import { presentInvoice } from './present-invoice.js';

// What a buyer does on the hosted page of an invoice, and what becomes of it.

export type Method = 'card' | 'ach';

export interface Paying {
  /** Default: all that is open. More than that is overpaid. */
  readonly amount?: Units | undefined;
  readonly method: Method;
}

/** A card pays at once. A bank debit is in processing until it is settled. */
export function pay(work: Work, invoice: Invoice, { amount, method }: Paying): PaymentIntent {
  if (invoice.status !== 'open' && invoice.status !== 'uncollectible') throw notPayable(invoice);
  const { remaining } = amountsOf(work, invoice);
  const wanted = checkAmount(amount ?? remaining, invoice.currency, 'amount');
  if (wanted <= 0) throw invalidRequest('Invalid positive integer', { param: 'amount' });
  const intent = intentFor(work, invoice, wanted, remaining);
  intent.paymentMethod = newId('pm');
  const charge = addCharge(work, intent, method);
  intent.latestCharge = charge.id;
  invoice.attemptCount += 1;
  if (method === 'card') {
    receive(work, intent);
  } else {
    intent.status = 'processing';
    work.emit('charge.pending', presentCharge(work, charge));
    work.emit('payment_intent.processing', presentPaymentIntent(work, intent));
  }
  return intent;
}

/** All that is open is paid by the default payment, a part of it by one of its own. */
function intentFor(work: Work, invoice: Invoice, amount: Units, remaining: Units): PaymentIntent {
  const open = paymentsOf(work, invoice).find(({ isDefault, status }) => isDefault && status === 'open');
  if (amount === remaining && open?.payment.type === 'payment_intent') {
    const intent = findPaymentIntent(work, open.payment.payment_intent);
    if (intent.status === 'requires_payment_method') return intent;
  }
  const { payment } = requestPayment(work, invoice, amount, false);
  if (payment.type !== 'payment_intent') throw new Error('a payment is asked for by a payment intent');
  return findPaymentIntent(work, payment.payment_intent);
}

function addCharge(work: Work, intent: PaymentIntent, method: Method): Charge {
  const charge: Charge = {
    id: newId(method === 'card' ? 'ch' : 'py'),
    created: work.seconds,
    currency: intent.currency,
    customer: intent.customer,
    paymentIntent: intent.id,
    paymentMethod: intent.paymentMethod ?? '',
    methodType: method === 'card' ? 'card' : 'us_bank_account',
    amount: intent.amount,
    amountRefunded: 0,
    status: 'pending',
    disputed: false,
    failure: null,
  };
  return work.add('charges', work.books.charges, charge);
}

/** What became of a bank debit. */
export function settle(work: Work, intent: PaymentIntent, outcome: 'succeeded' | 'failed'): void {
  if (intent.status !== 'processing') {
    const message = `This PaymentIntent could not be settled because it has a status of ${intent.status}.`;
    throw invalidRequest(message, { code: 'payment_intent_unexpected_state' });
  }
  if (outcome === 'succeeded') receive(work, intent);
  else fail(work, intent);
}

/** The money is there. */
function receive(work: Work, intent: PaymentIntent): void {
  const charge = chargeOf(work, intent);
  charge.status = 'succeeded';
  intent.status = 'succeeded';
  intent.amountReceived = intent.amount;
  intent.lastError = null;
  work.emit('charge.succeeded', presentCharge(work, charge));
  work.emit('payment_intent.succeeded', presentPaymentIntent(work, intent));
  const payment = invoicePaymentOf(work, intent);
  const invoice = findInvoice(work, payment.invoice);
  const before = amountsOf(work, invoice);
  changingInvoice(work, invoice, () => {
    payment.status = 'paid';
    payment.amountPaid = intent.amount;
    payment.paidAt = work.seconds;
  });
  const after = amountsOf(work, invoice);
  creditOverpayment(work, invoice, difference(after.overpaid, before.overpaid));
  work.emit('invoice_payment.paid', presentInvoicePayment(work, payment));
  if (after.remaining === 0 && invoice.status !== 'paid' && invoice.status !== 'void') becomePaid(work, invoice);
  else followBalance(work, invoice);
}

/** What was paid too much is credit for the customer's next invoice. */
function creditOverpayment(work: Work, invoice: Invoice, overpaid: Units): void {
  if (overpaid === 0) return;
  const customer = knownCustomer(work, invoice.customer);
  customer.balance = difference(customer.balance, atLeastZero(overpaid));
}

function fail(work: Work, intent: PaymentIntent): void {
  const charge = chargeOf(work, intent);
  const failure = { code: 'payment_method_provider_decline', message: 'The bank returned the debit.' };
  charge.status = 'failed';
  charge.failure = failure;
  intent.status = 'requires_payment_method';
  intent.paymentMethod = null;
  intent.lastError = failure;
  work.emit('charge.failed', presentCharge(work, charge));
  work.emit('payment_intent.payment_failed', presentPaymentIntent(work, intent));
  const invoice = findInvoice(work, invoicePaymentOf(work, intent).invoice);
  followBalance(work, invoice);
  work.emit('invoice.payment_failed', presentInvoice(work, invoice));
}

function chargeOf(work: Work, intent: PaymentIntent): Charge {
  return findCharge(work, intent.latestCharge ?? '', 'payment_intent', 400);
}

function invoicePaymentOf({ books }: Work, intent: PaymentIntent): InvoicePayment {
  for (const payment of books.invoicePayments.values()) {
    if (payment.payment.type === 'payment_intent' && payment.payment.payment_intent === intent.id) return payment;
  }
  throw new Error(`${intent.id} pays no invoice`);
}
