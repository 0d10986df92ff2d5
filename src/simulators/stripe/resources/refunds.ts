import { z } from 'zod';
import type { Charge, JsonObject, Metadata, Refund } from '../books/model.js';
import type { Work } from '../books/work.js';
import { checkAmount } from '../currencies.js';
import { InvalidParameters, invalidRequest, resourceMissing } from '../errors.js';
import { newId } from '../ids.js';
import { changedMetadata, id, integer, isInRange, metadata, oneOf, paging, range } from '../params.js';
import { difference, sum, type Units } from '../units.js';
import { findCharge, presentCharge } from './charges.js';
import { type Endpoint, endpoint } from './endpoint.js';
import { newestFirst, pageOf } from './pages.js';
import { findPaymentIntent } from './payment-intents.js';

const refundParams = {
  payment_intent: id.optional(),
  charge: id.optional(),
  amount: integer.optional(),
  reason: oneOf(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
  metadata: metadata.optional(),
};
type RefundParams = z.output<z.ZodObject<typeof refundParams>>;

export const refundEndpoints: readonly Endpoint[] = [
  endpoint('POST', '/v1/refunds', {
    takes: refundParams,
    returns: 'refund',
    run: (work, params) =>
      presentRefund(
        refund(work, chargeToRefund(work, params), {
          amount: params.amount,
          reason: params.reason ?? null,
          metadata: changedMetadata({}, params.metadata),
        }),
      ),
  }),
  endpoint('GET', '/v1/refunds', {
    takes: { ...paging, payment_intent: id.optional(), charge: id.optional(), created: range.optional() },
    returns: 'refund',
    returnsList: true,
    run: (work, params) =>
      pageOf(params, {
        url: '/v1/refunds',
        kind: 'refund',
        all: newestFirst(work.books.refunds),
        isWanted: (each) =>
          (params.payment_intent === undefined || each.paymentIntent === params.payment_intent) &&
          (params.charge === undefined || each.charge === params.charge) &&
          isInRange(each.created, params.created),
        present: presentRefund,
      }),
  }),
  endpoint('GET', '/v1/refunds/:id', {
    takes: {},
    returns: 'refund',
    run: (work, _params, id) => presentRefund(findRefund(work, id)),
  }),
];

export function findRefund({ books }: Work, id: string): Refund {
  const found = books.refunds.get(id);
  if (found === undefined) throw resourceMissing('refund', id);
  return found;
}

function chargeToRefund(work: Work, { payment_intent: intentId, charge }: RefundParams): Charge {
  if (charge !== undefined) return findCharge(work, charge, 'charge', 400);
  if (intentId === undefined) {
    const message = 'One of the following params should be provided for this request: payment_intent or charge.';
    throw new InvalidParameters(message, { code: 'parameter_missing' });
  }
  return latestCharge(work, intentId);
}

/** The charge that brought the money of an intent. */
export function latestCharge(work: Work, intentId: string): Charge {
  const intent = findPaymentIntent(work, intentId, 'payment_intent', 400);
  const charge = intent.latestCharge === null ? undefined : work.books.charges.get(intent.latestCharge);
  if (charge?.status !== 'succeeded') {
    throw invalidRequest('This PaymentIntent does not have a successful charge to refund.', {
      param: 'payment_intent',
    });
  }
  return charge;
}

interface Refunding {
  /** Default: all that is left of it. */
  readonly amount: Units | undefined;
  readonly reason: string | null;
  readonly metadata: Metadata;
}

/** Gives money back. The invoice that it paid stays as it is. */
export function refund(work: Work, charge: Charge, { amount, ...given }: Refunding): Refund {
  const wanted = checkRefund(work, charge, amount);
  const made: Refund = {
    id: newId('re'),
    created: work.seconds,
    currency: charge.currency,
    charge: charge.id,
    paymentIntent: charge.paymentIntent,
    amount: wanted,
    ...given,
    status: 'succeeded',
    failureReason: null,
  };
  charge.amountRefunded = sum(charge.amountRefunded, wanted);
  work.add('refunds', work.books.refunds, made);
  work.emit('refund.created', presentRefund(made));
  work.emit('charge.refunded', presentCharge(work, charge));
  work.emit('charge.refund.updated', presentRefund(made));
  return made;
}

/** How much of it is refunded, if the provider lets it. */
function checkRefund({ books }: Work, charge: Charge, amount: Units | undefined): Units {
  const left = difference(charge.amount, charge.amountRefunded);
  if (left === 0) {
    const message = `Charge ${charge.id} has already been refunded.`;
    throw invalidRequest(message, { code: 'charge_already_refunded' });
  }
  // What was won back can be given back.
  const disputes = [...books.disputes.values()].filter((dispute) => dispute.charge === charge.id);
  if (disputes.some(({ status }) => status !== 'won')) {
    const message = `Charge ${charge.id} has been charged back; cannot issue a refund.`;
    throw invalidRequest(message, { code: 'charge_disputed' });
  }
  const wanted = amount ?? left;
  if (wanted <= 0) throw invalidRequest('Invalid positive integer', { param: 'amount' });
  if (wanted > left) {
    const message = `Refund amount (${wanted}) is greater than unrefunded amount on charge (${left})`;
    throw invalidRequest(message, { param: 'amount' });
  }
  return checkAmount(wanted, charge.currency, 'amount');
}

/** The bank would not take it: the money is back at the account. */
export function failRefund(work: Work, failed: Refund): void {
  if (failed.status !== 'succeeded') throw invalidRequest(`Refund ${failed.id} has failed already.`);
  const charge = findCharge(work, failed.charge);
  failed.status = 'failed';
  failed.failureReason = 'lost_or_stolen_card';
  charge.amountRefunded = difference(charge.amountRefunded, failed.amount);
  const presented = presentRefund(failed);
  for (const type of ['refund.updated', 'refund.failed', 'charge.refund.updated']) work.emit(type, presented);
}

export function presentRefund(shown: Refund): JsonObject {
  return {
    id: shown.id,
    object: 'refund',
    amount: shown.amount,
    balance_transaction: shown.id.replace('re_', 'txn_'),
    charge: shown.charge,
    created: shown.created,
    currency: shown.currency,
    customer: null,
    customer_account: null,
    ...(shown.failureReason === null ? {} : { failure_reason: shown.failureReason }),
    metadata: { ...shown.metadata },
    payment_intent: shown.paymentIntent,
    payment_method: null,
    reason: shown.reason,
    receipt_number: null,
    source_transfer_reversal: null,
    status: shown.status,
    transfer_reversal: null,
  };
}
