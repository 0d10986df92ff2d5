import { z } from 'zod';
import type { Invoice, InvoicePayment, JsonObject } from '../books/model.js';
import type { Work } from '../books/work.js';
import { resourceMissing } from '../errors.js';
import { newId } from '../ids.js';
import { id, isInRange, oneOf, paging, range } from '../params.js';
import type { Units } from '../units.js';
import { type Endpoint, endpoint } from './endpoint.js';
import { amountsOf, paymentsOf } from './invoice-amounts.js';
import { newestFirst, pageOf } from './pages.js';
import { cancelPaymentIntent, createPaymentIntent, findPaymentIntent } from './payment-intents.js';
import { createPaymentRecord } from './payment-records.js';

const paymentFilter = z.strictObject({
  type: oneOf(['payment_intent', 'payment_record']),
  payment_intent: id.optional(),
  payment_record: id.optional(),
});

export const invoicePaymentEndpoints: readonly Endpoint[] = [
  endpoint('GET', '/v1/invoice_payments', {
    takes: {
      ...paging,
      invoice: id.optional(),
      payment: paymentFilter.optional(),
      status: oneOf(['open', 'paid', 'canceled']).optional(),
      created: range.optional(),
    },
    returns: 'invoice_payment',
    returnsList: true,
    run: (work, params) =>
      pageOf(params, {
        url: '/v1/invoice_payments',
        kind: 'invoice_payment',
        all: newestFirst(work.books.invoicePayments),
        isWanted: (payment) =>
          (params.invoice === undefined || payment.invoice === params.invoice) &&
          (params.payment === undefined || isOf(payment, params.payment)) &&
          (params.status === undefined || payment.status === params.status) &&
          isInRange(payment.created, params.created),
        present: (payment) => presentInvoicePayment(work, payment),
      }),
  }),
  endpoint('GET', '/v1/invoice_payments/:id', {
    takes: {},
    returns: 'invoice_payment',
    run: (work, _params, id) => {
      const payment = work.books.invoicePayments.get(id);
      if (payment === undefined) throw resourceMissing('invoice_payment', id);
      return presentInvoicePayment(work, payment);
    },
  }),
];

function isOf({ payment }: InvoicePayment, wanted: z.output<typeof paymentFilter>): boolean {
  if (payment.type !== wanted.type) return false;
  const { payment_intent: intent, payment_record: record } = wanted;
  if (payment.type === 'payment_intent') return intent === undefined || payment.payment_intent === intent;
  return record === undefined || payment.payment_record === record;
}

/** Asks for money by a payment intent of its own. The default one is made by the finalisation. */
export function requestPayment(work: Work, invoice: Invoice, amount: Units, isDefault: boolean): InvoicePayment {
  const description = invoice.number === null ? null : `Payment for Invoice ${invoice.number}`;
  const { currency, customer } = invoice;
  const intent = createPaymentIntent(work, { amount, currency, customer, description });
  return keep(work, invoice, {
    isDefault,
    payment: { type: 'payment_intent', payment_intent: intent.id },
    amountRequested: amount,
    amountPaid: null,
    status: 'open',
    paidAt: null,
  });
}

/** Money that was received outside of the provider. */
export function recordPayment(work: Work, invoice: Invoice, amount: Units): InvoicePayment {
  return keep(work, invoice, {
    isDefault: false,
    payment: { type: 'payment_record', payment_record: createPaymentRecord(work, amount, invoice.currency).id },
    amountRequested: amount,
    amountPaid: amount,
    status: 'paid',
    paidAt: work.seconds,
  });
}

type Given = Omit<InvoicePayment, 'id' | 'created' | 'invoice' | 'currency' | 'canceledAt'>;

function keep(work: Work, { id: invoice, currency }: Invoice, given: Given): InvoicePayment {
  const payment: InvoicePayment = {
    id: newId('inpay'),
    created: work.seconds,
    invoice,
    currency,
    canceledAt: null,
    ...given,
  };
  return work.add('invoicePayments', work.books.invoicePayments, payment);
}

/** The default payment asks for whatever is open: it follows the balance, and is given up when nothing is. */
export function followBalance(work: Work, invoice: Invoice): void {
  const payment = paymentsOf(work, invoice).find((each) => each.isDefault && each.status === 'open');
  if (payment?.payment.type !== 'payment_intent') return;
  const intent = findPaymentIntent(work, payment.payment.payment_intent);
  // Money that is on its way cannot be changed any more.
  if (intent.status !== 'requires_payment_method') return;
  const { remaining } = amountsOf(work, invoice);
  if (remaining === 0 || invoice.status === 'void') {
    payment.status = 'canceled';
    payment.canceledAt = work.seconds;
    cancelPaymentIntent(work, intent);
  } else {
    payment.amountRequested = remaining;
    intent.amount = remaining;
  }
}

export function presentInvoicePayment({ settings }: Work, payment: InvoicePayment): JsonObject {
  return {
    id: payment.id,
    object: 'invoice_payment',
    amount_paid: payment.amountPaid,
    amount_requested: payment.amountRequested,
    created: payment.created,
    currency: payment.currency,
    invoice: payment.invoice,
    is_default: payment.isDefault,
    livemode: settings.livemode,
    payment: { ...payment.payment },
    status: payment.status,
    status_transitions: { canceled_at: payment.canceledAt, paid_at: payment.paidAt },
  };
}
