import type { Random } from '../random.js';
import type { StripeStage } from './stripe-stage.js';

// What goes wrong outside the processes: Stripe's answers, its webhooks and its keys.

/** These tell a lie when the change was made, so they only come before it. */
const HONEST_REFUSALS = [
  { kind: '429' },
  { kind: 'error', status: 400, code: 'parameter_invalid', message: 'This was refused on purpose.' },
  { kind: 'error', status: 402, type: 'card_error', message: 'This was refused on purpose.' },
] as const;
/** Before or after the change: whoever gets them cannot tell. */
const LOST_ANSWERS = [
  { kind: 'reset' },
  { kind: 'truncate' },
  { kind: 'html502' },
  { kind: '500' },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 503 },
  { kind: 'timeout', ms: 1000 },
  { kind: 'latency', ms: 20 },
] as const;
const PATHS = [
  '/v1/invoices',
  '/v1/invoiceitems',
  '/v1/customers',
  '/finalize',
  '/send',
  '/void',
  '/v1/invoice_payments',
  '/v1/events',
  '/v1/',
] as const;

export async function breakAnswers(stage: StripeStage): Promise<void> {
  const { system, accountId, random } = stage;
  const skip = random.between(0, 3);
  // The adapter repeats a request twice by itself.
  const times = random.pick([1, 1, 2, 3, 4]);
  if (random.chance(0.06)) return random.chance(0.5) ? stage.rollKey() : refuseKey(stage);
  if (random.chance(0.06)) return takeEndpointDown(stage);
  const isRefusal = random.chance(0.3);
  const answer = isRefusal ? random.pick(HONEST_REFUSALS) : random.pick(LOST_ANSWERS);
  const when = isRefusal ? 'before' : random.pick(['before', 'after']);
  const match = { accountId, path: random.pick(PATHS) };
  await system.stripe.call('POST', '/faults', { match, ...answer, when, skip, times });
}

/** Stripe refuses a key that is right, and the app cannot know that it is. */
async function refuseKey({ system, accountId, random }: StripeStage): Promise<void> {
  const refusal = { kind: 'error', status: 401, message: 'Invalid API Key provided' };
  const match = { accountId, path: '/v1/' };
  await system.stripe.call('POST', '/faults', {
    match,
    ...refusal,
    skip: random.between(0, 3),
    times: random.between(1, 3),
  });
}

/** Nobody listens at port 9, and Stripe gives up at some time. */
async function takeEndpointDown(stage: StripeStage): Promise<void> {
  const { system, accountId, endpoint } = stage;
  stage.areStripeWebhooksLost = true;
  const down = { ...endpoint, url: 'http://127.0.0.1:9/' };
  await system.stripe.call('PATCH', `/accounts/${accountId}`, { webhooks: [down] });
}

export async function disturbWebhooks(stage: StripeStage): Promise<void> {
  const { system, random, accountId } = stage;
  const drop = random.chance(0.2) ? random.between(1, 3) : 0;
  stage.areStripeWebhooksLost = drop > 0;
  await system.stripe.call('POST', '/webhooks', {
    accountId,
    paused: random.chance(0.1),
    duplicate: random.chance(0.3),
    reorder: random.chance(0.3),
    drop,
    delayMs: random.pick([0, 5, 40]),
    retryMs: [5, 10, 20, 40],
  });
}

export function accountSettings(random: Random): object {
  return {
    outOfBandPayments: random.pick(['listed', 'unlisted']),
    voidPartlyPaid: random.chance(0.3),
  };
}

/** Stripe works again. */
export async function calmDown({ system, accountId, endpoint }: StripeStage): Promise<void> {
  await system.stripe.call('DELETE', `/faults?accountId=${accountId}`);
  await system.stripe.call('PATCH', `/accounts/${accountId}`, { webhooks: [endpoint] });
  await system.stripe.call('POST', '/webhooks', {
    accountId,
    paused: false,
    duplicate: false,
    reorder: false,
    drop: 0,
    delayMs: 1,
    retryMs: [5, 10, 20, 40],
  });
}
