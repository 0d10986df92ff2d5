import type { Charge, JsonObject } from '../books/model.js';
import type { Work } from '../books/work.js';
import { resourceMissing } from '../errors.js';
import { id, isInRange, paging, range } from '../params.js';
import { type Endpoint, endpoint } from './endpoint.js';
import { newestFirst, pageOf } from './pages.js';

export const chargeEndpoints: readonly Endpoint[] = [
  endpoint('GET', '/v1/charges', {
    takes: { ...paging, customer: id.optional(), payment_intent: id.optional(), created: range.optional() },
    returns: 'charge',
    returnsList: true,
    run: (work, params) =>
      pageOf(params, {
        url: '/v1/charges',
        kind: 'charge',
        all: newestFirst(work.books.charges),
        isWanted: (charge) =>
          (params.customer === undefined || charge.customer === params.customer) &&
          (params.payment_intent === undefined || charge.paymentIntent === params.payment_intent) &&
          isInRange(charge.created, params.created),
        present: (charge) => presentCharge(work, charge),
      }),
  }),
  endpoint('GET', '/v1/charges/:id', {
    takes: {},
    returns: 'charge',
    run: (work, _params, id) => presentCharge(work, findCharge(work, id)),
  }),
];

export function findCharge({ books }: Work, id: string, param = 'charge', status = 404): Charge {
  const charge = books.charges.get(id);
  if (charge === undefined) throw resourceMissing('charge', id, param, status);
  return charge;
}

export function presentCharge({ settings, books }: Work, charge: Charge): JsonObject {
  const isReceived = charge.status === 'succeeded';
  const customer = books.customers.get(charge.customer);
  return {
    id: charge.id,
    object: 'charge',
    amount: charge.amount,
    amount_captured: isReceived ? charge.amount : 0,
    amount_refunded: charge.amountRefunded,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: isReceived ? charge.id.replace(/^\w+?_/, 'txn_') : null,
    billing_details: {
      address: { city: null, country: null, line1: null, line2: null, postal_code: null, state: null },
      email: customer?.email ?? null,
      name: customer?.name ?? null,
      phone: null,
      tax_id: null,
    },
    calculated_statement_descriptor: null,
    captured: isReceived,
    created: charge.created,
    currency: charge.currency,
    customer: charge.customer,
    description: null,
    disputed: charge.disputed,
    failure_balance_transaction: null,
    failure_code: charge.failure?.code ?? null,
    failure_message: charge.failure?.message ?? null,
    fraud_details: {},
    livemode: settings.livemode,
    metadata: {},
    on_behalf_of: null,
    outcome: null,
    paid: charge.status !== 'failed',
    payment_intent: charge.paymentIntent,
    payment_method: charge.paymentMethod,
    payment_method_details: methodDetails(charge),
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    refunded: isReceived && charge.amountRefunded === charge.amount,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: charge.status,
    transfer_data: null,
    transfer_group: null,
  };
}

function methodDetails({ methodType }: Charge): JsonObject {
  if (methodType === 'card') return { card: { brand: 'visa', funding: 'credit', last4: '4242' }, type: 'card' };
  return {
    type: 'us_bank_account',
    us_bank_account: {
      account_holder_type: 'company',
      account_type: 'checking',
      bank_name: 'TEST BANK',
      last4: '6789',
    },
  };
}
