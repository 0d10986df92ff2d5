import type { JsonObject, PaymentIntent } from '../books/model.js';
import type { Work } from '../books/work.js';
import { resourceMissing } from '../errors.js';
import { newId } from '../ids.js';
import { id, isInRange, paging, range } from '../params.js';
import type { Units } from '../units.js';
import { type Endpoint, endpoint } from './endpoint.js';
import { newestFirst, pageOf } from './pages.js';

export const paymentIntentEndpoints: readonly Endpoint[] = [
  endpoint('GET', '/v1/payment_intents', {
    takes: { ...paging, customer: id.optional(), created: range.optional() },
    returns: 'payment_intent',
    returnsList: true,
    run: (work, params) =>
      pageOf(params, {
        url: '/v1/payment_intents',
        kind: 'payment_intent',
        all: newestFirst(work.books.paymentIntents),
        isWanted: (intent) =>
          (params.customer === undefined || intent.customer === params.customer) &&
          isInRange(intent.created, params.created),
        present: (intent) => presentPaymentIntent(work, intent),
      }),
  }),
  endpoint('GET', '/v1/payment_intents/:id', {
    takes: {},
    returns: 'payment_intent',
    run: (work, _params, id) => presentPaymentIntent(work, findPaymentIntent(work, id)),
  }),
];

export function findPaymentIntent({ books }: Work, id: string, param = 'intent', status = 404): PaymentIntent {
  const intent = books.paymentIntents.get(id);
  if (intent === undefined) throw resourceMissing('payment_intent', id, param, status);
  return intent;
}

export interface IntentFor {
  readonly amount: Units;
  readonly currency: string;
  readonly customer: string;
  readonly description: string | null;
}

export function createPaymentIntent(work: Work, given: IntentFor): PaymentIntent {
  const intent: PaymentIntent = {
    id: newId('pi'),
    created: work.seconds,
    ...given,
    paymentMethodTypes: ['card', 'us_bank_account'],
    amountReceived: 0,
    status: 'requires_payment_method',
    paymentMethod: null,
    latestCharge: null,
    lastError: null,
    canceledAt: null,
  };
  work.add('paymentIntents', work.books.paymentIntents, intent);
  work.emit('payment_intent.created', presentPaymentIntent(work, intent));
  return intent;
}

export function cancelPaymentIntent(work: Work, intent: PaymentIntent): void {
  intent.status = 'canceled';
  intent.canceledAt = work.seconds;
  work.emit('payment_intent.canceled', presentPaymentIntent(work, intent));
}

export function presentPaymentIntent({ settings }: Work, intent: PaymentIntent): JsonObject {
  return {
    id: intent.id,
    object: 'payment_intent',
    allowed_payment_method_types: null,
    amount: intent.amount,
    amount_capturable: 0,
    amount_details: { tip: {} },
    amount_received: intent.amountReceived,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: null,
    canceled_at: intent.canceledAt,
    cancellation_reason: intent.canceledAt === null ? null : 'void_invoice',
    capture_method: 'automatic',
    client_secret: `${intent.id}_secret_simulated`,
    confirmation_method: 'automatic',
    created: intent.created,
    currency: intent.currency,
    customer: intent.customer,
    customer_account: null,
    description: intent.description,
    excluded_payment_method_types: null,
    last_payment_error: intent.lastError === null ? null : { ...intent.lastError, type: 'invalid_request_error' },
    latest_charge: intent.latestCharge,
    livemode: settings.livemode,
    managed_payments: null,
    metadata: {},
    next_action: null,
    on_behalf_of: null,
    payment_method: intent.paymentMethod,
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: intent.paymentMethodTypes,
    payment_record: null,
    processing: null,
    receipt_email: null,
    review: null,
    setup_future_usage: null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: intent.status,
    transfer_data: null,
    transfer_group: null,
  };
}
