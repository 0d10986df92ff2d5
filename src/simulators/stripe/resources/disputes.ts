import type { Charge, Dispute, JsonObject } from '../books/model.js';
import type { Work } from '../books/work.js';
import { invalidRequest, resourceMissing } from '../errors.js';
import { newId } from '../ids.js';
import { id, isInRange, paging, range } from '../params.js';
import { difference, type Units } from '../units.js';
import { type Endpoint, endpoint } from './endpoint.js';
import { newestFirst, pageOf } from './pages.js';

const DAYS_TO_ANSWER = 9;

export const disputeEndpoints: readonly Endpoint[] = [
  endpoint('GET', '/v1/disputes', {
    takes: { ...paging, payment_intent: id.optional(), charge: id.optional(), created: range.optional() },
    returns: 'dispute',
    returnsList: true,
    run: (work, params) =>
      pageOf(params, {
        url: '/v1/disputes',
        kind: 'dispute',
        all: newestFirst(work.books.disputes),
        isWanted: (dispute) =>
          (params.payment_intent === undefined || dispute.paymentIntent === params.payment_intent) &&
          (params.charge === undefined || dispute.charge === params.charge) &&
          isInRange(dispute.created, params.created),
        present: (dispute) => presentDispute(work, dispute),
      }),
  }),
  endpoint('GET', '/v1/disputes/:id', {
    takes: {},
    returns: 'dispute',
    run: (work, _params, id) => presentDispute(work, findDispute(work, id)),
  }),
];

export function findDispute({ books }: Work, id: string): Dispute {
  const dispute = books.disputes.get(id);
  if (dispute === undefined) throw resourceMissing('dispute', id);
  return dispute;
}

/** The buyer has the bank take the money back, as long as it is not decided. */
export function openDispute(work: Work, charge: Charge, amount: Units | undefined): Dispute {
  const left = difference(charge.amount, charge.amountRefunded);
  const wanted = amount ?? left;
  if (charge.disputed) throw invalidRequest(`Charge ${charge.id} has been disputed already.`);
  if (wanted <= 0 || wanted > left) throw invalidRequest(`At most ${left} can be disputed.`, { param: 'amount' });
  const dispute: Dispute = {
    id: newId('dp'),
    created: work.seconds,
    currency: charge.currency,
    charge: charge.id,
    paymentIntent: charge.paymentIntent,
    amount: wanted,
    reason: 'fraudulent',
    status: 'needs_response',
  };
  charge.disputed = true;
  work.add('disputes', work.books.disputes, dispute);
  const presented = presentDispute(work, dispute);
  work.emit('charge.dispute.created', presented);
  work.emit('charge.dispute.funds_withdrawn', presented);
  return dispute;
}

export function closeDispute(work: Work, dispute: Dispute, outcome: 'won' | 'lost'): void {
  if (dispute.status !== 'needs_response') throw invalidRequest(`Dispute ${dispute.id} is already closed.`);
  dispute.status = outcome;
  const presented = presentDispute(work, dispute);
  if (outcome === 'won') work.emit('charge.dispute.funds_reinstated', presented);
  work.emit('charge.dispute.closed', presented);
}

export function presentDispute({ settings }: Work, dispute: Dispute): JsonObject {
  return {
    id: dispute.id,
    object: 'dispute',
    amount: dispute.amount,
    balance_transactions: [],
    charge: dispute.charge,
    created: dispute.created,
    currency: dispute.currency,
    enhanced_eligibility_types: [],
    evidence: { enhanced_evidence: {} },
    evidence_details: {
      due_by: dispute.created + DAYS_TO_ANSWER * 24 * 3600,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: 'not_submitted',
    },
    intended_submission_method: null,
    is_charge_refundable: false,
    livemode: settings.livemode,
    metadata: {},
    network_reason_code: '10.4',
    payment_intent: dispute.paymentIntent,
    reason: dispute.reason,
    status: dispute.status,
  };
}
