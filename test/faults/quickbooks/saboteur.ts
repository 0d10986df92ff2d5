import type { Random } from '../random.js';
import type { QuickBooksStage } from './quickbooks-stage.js';

// What goes wrong outside the processes: QuickBooks' answers, its webhooks and its tokens.

/** These tell a lie when the change was made, so they only come before it. */
const HONEST_REFUSALS = [
  { kind: '429' },
  { kind: 'xml429' },
  { kind: 'fault', code: '10000' },
  { kind: 'status', status: 503 },
] as const;
/** Before or after the change: whoever gets them cannot tell. */
const LOST_ANSWERS = [
  { kind: 'reset' },
  { kind: 'truncate' },
  { kind: 'html502' },
  { kind: 'status', status: 500 },
  { kind: 'empty' },
  { kind: 'garbage' },
  { kind: 'fault', code: '600' },
  { kind: 'timeout', ms: 1000 },
  { kind: 'latency', ms: 20 },
] as const;
const PATHS = ['/invoice?', '/invoice/', '/send', '/query', '/customer', '/v3/'] as const;
const TOKEN_ANSWERS = [
  { kind: 'status', status: 503 },
  { kind: 'reset' },
  { kind: 'truncate' },
  { kind: 'garbage' },
  { kind: 'latency', ms: 20 },
] as const;

export async function breakAnswers(stage: QuickBooksStage): Promise<void> {
  const { system, realmId, random } = stage;
  const skip = random.between(0, 2);
  const times = random.between(1, 2);
  if (random.chance(0.15)) {
    const when = stage.mayLoseTokens ? random.pick(['before', 'after']) : 'before';
    const rule = { ...random.pick(TOKEN_ANSWERS), when, times };
    await system.quickbooks.call('POST', '/faults', { match: { realmId, path: '/tokens/bearer' }, ...rule });
    return expireTokens(stage);
  }
  if (stage.mayRefuseToken && random.chance(0.08)) return refuseToken(stage);
  if (random.chance(0.1)) return changeCompany(stage);
  const isRefusal = random.chance(0.4);
  const answer = isRefusal ? random.pick(HONEST_REFUSALS) : random.pick(LOST_ANSWERS);
  const when = isRefusal ? 'before' : random.pick(['before', 'after']);
  await system.quickbooks.call('POST', '/faults', {
    match: { realmId, path: random.pick(PATHS) },
    ...answer,
    when,
    skip,
    times,
  });
}

/**
 * A token that is refused in the midst of its life. Once in a story, and not where tokens also expire early: who is
 * refused with a fresh token, too, was disconnected. And a refresh in the second after another one looks concurrent.
 */
async function refuseToken(stage: QuickBooksStage): Promise<void> {
  stage.mayRefuseToken = false;
  stage.wasTokenRefused = true;
  await stage.system.quickbooks.call('POST', '/faults', {
    match: { realmId: stage.realmId, path: '/v3/' },
    kind: '401',
  });
}

const COMPANY_CHANGES = [
  { monthlyReadsExhausted: true },
  { subscriptionEnded: true },
  { bookCloseDate: '2999-12-31' },
  { enforceLimits: true },
] as const;

/** The company's own state refuses things, until it is mended. */
async function changeCompany({ system, realmId, random }: QuickBooksStage): Promise<void> {
  await system.quickbooks.call('PATCH', `/companies/${realmId}`, random.pick(COMPANY_CHANGES));
}

/** Not in the second after a refresh: then the next one would look like a concurrent one. */
export async function expireTokens(stage: QuickBooksStage): Promise<void> {
  const { system, realmId } = stage;
  if (stage.wasTokenRefused) return;
  stage.mayRefuseToken = false;
  await system.settle(1_100);
  await system.quickbooks.call('POST', '/expire-tokens', { realmId });
}

export async function disturbWebhooks(stage: QuickBooksStage): Promise<void> {
  const { system, random, realmId } = stage;
  const drop = random.chance(0.2) ? random.between(1, 3) : 0;
  stage.areWebhooksLost = drop > 0;
  await system.quickbooks.call('POST', '/webhooks', {
    realmId,
    paused: random.chance(0.1),
    duplicate: random.chance(0.3),
    reorder: random.chance(0.3),
    split: random.chance(0.3),
    voidType: random.pick(['void', 'voided']),
    drop,
    delayMs: random.pick([0, 5, 40]),
    format: random.pick(['cloudevents', 'legacy']),
    retryMs: [5, 10, 20, 40],
  });
}

/**
 * A refresh that is repeated because its answer was lost is punished like a concurrent one, and of rotated tokens the
 * previous value works, but not the one before. No client can help that, so these stories lose no answers on purpose.
 */
export async function sharpenTokens(stage: QuickBooksStage): Promise<void> {
  const { system, random, realmId } = stage;
  const rotateEveryRefresh = random.chance(0.3);
  const punishConcurrentRefresh = !rotateEveryRefresh && random.chance(0.5);
  stage.mayLoseTokens = !rotateEveryRefresh && !punishConcurrentRefresh;
  stage.mayRefuseToken = !punishConcurrentRefresh;
  const switches = { rotateEveryRefresh, punishConcurrentRefresh, previousValidSeconds: 30 * 24 * 3600 };
  await system.quickbooks.call('POST', '/oauth', { realmId, ...switches });
}

export function companySettings(random: Random): { readonly currency: string; readonly settings: object } {
  const currency = random.weighted({ USD: 6, EUR: 2, JPY: 1 });
  return {
    currency,
    settings: {
      multiCurrency: currency !== 'USD' || random.chance(0.5),
      customTxnNumbers: random.chance(0.5),
      ...(random.chance(0.5) && { defaultItemId: '1' }),
      ...(random.chance(0.1) && { salesTaxPercent: '7.25' }),
      allowDeposit: true,
      autoApplyCredit: random.chance(0.15),
      ...(random.chance(0.3) && { requestIdMemorySeconds: 16 * 60 }),
      refuseRepeatedRequestId: random.chance(0.15),
    },
  };
}

/** QuickBooks works again. */
export async function calmDown({ system, realmId }: QuickBooksStage): Promise<void> {
  await system.quickbooks.call('DELETE', `/faults?realmId=${realmId}`);
  await system.quickbooks.call('PATCH', `/companies/${realmId}`, {
    monthlyReadsExhausted: false,
    subscriptionEnded: false,
    bookCloseDate: null,
    enforceLimits: false,
  });
  await system.quickbooks.call('POST', '/webhooks', {
    realmId,
    paused: false,
    duplicate: false,
    reorder: false,
    split: false,
    drop: 0,
    delayMs: 1,
    retryMs: [5, 10, 20, 40],
  });
  await system.quickbooks.call('POST', '/oauth', {
    realmId,
    rotateEveryRefresh: false,
    punishConcurrentRefresh: false,
  });
}
