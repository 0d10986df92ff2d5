import { z } from 'zod';
import type { CreditNote, Invoice } from '../books/model.js';
import type { Work } from '../books/work.js';
import { checkAmount } from '../currencies.js';
import { InvalidParameters, invalidRequest, resourceMissing } from '../errors.js';
import { newId } from '../ids.js';
import { changedMetadata, emptyableText, id, integer, isInRange, metadata, oneOf, paging, range } from '../params.js';
import { atLeastZero, difference, smaller, sum, type Units } from '../units.js';
import { creditedRefund } from './credit-note-refund.js';
import { knownCustomer } from './customers.js';
import { type Endpoint, endpoint } from './endpoint.js';
import { amountsOf } from './invoice-amounts.js';
import { becomePaid } from './invoice-lifecycle.js';
import { followBalance } from './invoice-payments.js';
import { changingInvoice, findInvoice } from './invoices.js';
import { newestFirst, pageOf } from './pages.js';
import { presentCreditNote } from './present-credit-note.js';

const share = integer.refine((value) => value >= 0, 'Invalid non-negative integer').optional();
const creditNoteParams = {
  invoice: id,
  amount: integer.refine((value) => value > 0, 'Invalid positive integer'),
  credit_amount: share,
  refund_amount: share,
  out_of_band_amount: share,
  email_type: oneOf(['credit_note', 'none']).optional(),
  memo: emptyableText().optional(),
  reason: oneOf(['duplicate', 'fraudulent', 'order_change', 'product_unsatisfactory']).optional(),
  metadata: metadata.optional(),
};
type CreditNoteParams = z.output<z.ZodObject<typeof creditNoteParams>>;

export const creditNoteEndpoints: readonly Endpoint[] = [
  endpoint('POST', '/v1/credit_notes', {
    takes: creditNoteParams,
    returns: 'credit_note',
    run: (work, params) => presentCreditNote(work, createCreditNote(work, params)),
  }),
  endpoint('GET', '/v1/credit_notes', {
    takes: { ...paging, invoice: id.optional(), customer: id.optional(), created: range.optional() },
    returns: 'credit_note',
    returnsList: true,
    run: (work, params) =>
      pageOf(params, {
        url: '/v1/credit_notes',
        kind: 'credit_note',
        all: newestFirst(work.books.creditNotes),
        isWanted: (note) =>
          (params.invoice === undefined || note.invoice === params.invoice) &&
          (params.customer === undefined || note.customer === params.customer) &&
          isInRange(note.created, params.created),
        present: (note) => presentCreditNote(work, note),
      }),
  }),
  endpoint('GET', '/v1/credit_notes/:id', {
    takes: {},
    returns: 'credit_note',
    run: (work, _params, id) => presentCreditNote(work, findCreditNote(work, id)),
  }),
  endpoint('POST', '/v1/credit_notes/:id', {
    takes: { memo: emptyableText().optional(), metadata: metadata.optional() },
    returns: 'credit_note',
    run: (work, params, id) => {
      const note = findCreditNote(work, id);
      if (params.memo !== undefined) note.memo = params.memo;
      note.metadata = changedMetadata(note.metadata, params.metadata);
      const presented = presentCreditNote(work, note);
      work.emit('credit_note.updated', presented);
      return presented;
    },
  }),
  endpoint('POST', '/v1/credit_notes/:id/void', {
    takes: {},
    returns: 'credit_note',
    run: (work, _params, id) => presentCreditNote(work, voidCreditNote(work, findCreditNote(work, id))),
  }),
];

export function findCreditNote({ books }: Work, id: string): CreditNote {
  const note = books.creditNotes.get(id);
  if (note === undefined) throw resourceMissing('credit note', id);
  return note;
}

/** Takes off what is still open; the rest of it has been paid and is given back, as the parameters say. */
export function createCreditNote(work: Work, params: CreditNoteParams): CreditNote {
  const invoice = findInvoice(work, params.invoice, 'invoice', 400);
  const shares = sharesOf(work, invoice, params);
  const refunded = creditedRefund(work, invoice, params.refund_amount ?? 0);
  const customer = knownCustomer(work, invoice.customer);
  const credit = params.credit_amount ?? 0;
  if (credit > 0) customer.balance = difference(customer.balance, credit);
  const ordinal = [...work.books.creditNotes.values()].filter((note) => note.invoice === invoice.id).length + 1;
  const note: CreditNote = {
    id: newId('cn'),
    lineId: newId('cnli'),
    created: work.seconds,
    currency: invoice.currency,
    invoice: invoice.id,
    customer: invoice.customer,
    number: `${invoice.number}-CN-${`${ordinal}`.padStart(2, '0')}`,
    amount: params.amount,
    prePaymentAmount: shares.before,
    postPaymentAmount: shares.after,
    outOfBandAmount: params.out_of_band_amount ?? null,
    balanceTransaction: credit > 0 ? newId('cbtxn') : null,
    refunds: refunded,
    reason: params.reason ?? null,
    memo: params.memo ?? null,
    metadata: changedMetadata({}, params.metadata),
    status: 'issued',
    voidedAt: null,
  };
  changingInvoice(work, invoice, () => {
    work.add('creditNotes', work.books.creditNotes, note);
    followBalance(work, invoice);
  });
  work.emit('credit_note.created', presentCreditNote(work, note));
  if (invoice.status === 'open' && amountsOf(work, invoice).remaining === 0) becomePaid(work, invoice);
  return note;
}

interface Shares {
  readonly before: Units;
  readonly after: Units;
}

function sharesOf(work: Work, invoice: Invoice, params: CreditNoteParams): Shares {
  if (invoice.status !== 'open' && invoice.status !== 'paid') {
    throw invalidRequest(`You cannot create a credit note on an invoice that is ${invoice.status}.`, {
      param: 'invoice',
    });
  }
  checkAmount(params.amount, invoice.currency, 'amount');
  const { total, due, creditedBefore, remaining, paid, creditedAfter } = amountsOf(work, invoice);
  const before = smaller(params.amount, remaining);
  const after = difference(params.amount, before);
  // What the customer's balance paid can be credited, too.
  const fromBalance = atLeastZero(difference(total, sum(due, creditedBefore)));
  if (after > difference(sum(paid, fromBalance), creditedAfter)) {
    throw invalidRequest('The credit note amount is more than what is left to credit on the invoice.', {
      param: 'amount',
    });
  }
  const given = sum(params.credit_amount ?? 0, params.refund_amount ?? 0, params.out_of_band_amount ?? 0);
  if (given !== after) {
    const message = `The sum of credit_amount, refund_amount and out_of_band_amount (${given}) must equal the credit note amount that has been paid (${after}).`;
    throw new InvalidParameters(message, { param: 'amount' });
  }
  return { before, after };
}

/** Only while the invoice is open: then it asks for more again. */
export function voidCreditNote(work: Work, note: CreditNote): CreditNote {
  const invoice = findInvoice(work, note.invoice);
  if (note.status === 'void') throw invalidRequest('This credit note is already void.');
  if (invoice.status !== 'open' || note.postPaymentAmount !== 0) {
    throw invalidRequest('You can only void a credit note of an open invoice, from before its payment.');
  }
  changingInvoice(work, invoice, () => {
    note.status = 'void';
    note.voidedAt = work.seconds;
    followBalance(work, invoice);
  });
  work.emit('credit_note.voided', presentCreditNote(work, note));
  return note;
}
