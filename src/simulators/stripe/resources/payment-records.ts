import type { JsonObject, PaymentRecord } from '../books/model.js';
import type { Work } from '../books/work.js';
import { invalidRequest, resourceMissing } from '../errors.js';
import { newId } from '../ids.js';
import { difference, sum, type Units } from '../units.js';

/** What somebody wrote down of money that came in elsewhere. */
export function createPaymentRecord(work: Work, amount: Units, currency: string): PaymentRecord {
  const record = { id: newId('pr'), created: work.seconds, currency, amount, amountRefunded: 0 };
  return work.add('paymentRecords', work.books.paymentRecords, record);
}

/** Somebody writes down that it was given back elsewhere, by default all that is left. No event tells of it. */
export function refundPaymentRecord(work: Work, id: string, amount: Units | undefined): PaymentRecord {
  const record = work.books.paymentRecords.get(id);
  if (record === undefined) throw resourceMissing('payment_record', id);
  const left = difference(record.amount, record.amountRefunded);
  const wanted = amount ?? left;
  if (wanted <= 0 || wanted > left) throw invalidRequest(`At most ${left} can be refunded.`, { param: 'amount' });
  record.amountRefunded = sum(record.amountRefunded, wanted);
  return record;
}

export function presentPaymentRecord({ settings }: Work, record: PaymentRecord): JsonObject {
  const { currency } = record;
  const of = (value: Units) => ({ value, currency });
  return {
    id: record.id,
    object: 'payment_record',
    amount: of(record.amount),
    amount_authorized: of(record.amount),
    amount_canceled: of(0),
    amount_failed: of(0),
    amount_guaranteed: of(record.amount),
    amount_refunded: of(record.amountRefunded),
    amount_requested: of(record.amount),
    application: null,
    created: record.created,
    customer_details: null,
    customer_presence: null,
    description: null,
    latest_payment_attempt_record: null,
    livemode: settings.livemode,
    metadata: {},
    payment_method_details: null,
    processor_details: { type: 'custom' },
    reported_by: 'self',
    shipping_details: null,
  };
}
