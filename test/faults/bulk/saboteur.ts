import type { Random } from '../random.js';
import type { BulkStage } from './bulk-stage.js';

/** Of single items. These are refusals, so they only come before the item is carried out. */
const ITEM_REFUSALS = [
  { code: '6210' },
  { code: '2500' },
  { code: '610' },
  { code: '3001' },
  { code: '5020' },
] as const;
/** Before or after it: whoever gets them cannot tell. */
const ITEM_DOUBTS = [
  { code: '600' },
  { code: '10000' },
  {
    code: '6000',
    detail: 'Business Validation Error: An unexpected error occurred while accessing or saving your data.',
  },
] as const;
/** Of the whole, before anything is carried out. */
const WHOLE_REFUSALS = [
  { kind: '429' },
  { kind: '401' },
  { kind: 'status', status: 413 },
  { kind: 'status', status: 503 },
  { kind: 'fault', code: '1040' },
  { kind: 'fault', code: '10000' },
] as const;
/** Of the whole, before or after all items are carried out, or in the midst of them. */
const WHOLE_DOUBTS = [
  { kind: 'reset' },
  { kind: 'truncate' },
  { kind: 'html502' },
  { kind: 'empty' },
  { kind: 'garbage' },
  { kind: 'timeout', ms: 1000 },
  { kind: 'fault', code: '600' },
] as const;

/** The next batch, or the one after it, goes wrong as a whole or for some of its items. */
export async function breakBatches(stage: BulkStage): Promise<void> {
  const { system, realmId, random } = stage;
  const rule = { match: { realmId, path: '/batch' }, ...ruleOf(stage), skip: random.pick([0, 0, 0, 1]) };
  await system.quickbooks.call('POST', '/faults', rule);
}

function ruleOf({ random, mayRefuseToken }: BulkStage): object {
  const times = random.between(1, 2);
  switch (
    random.weighted({ itemRefused: 2, itemDoubted: 2, omitted: 3, repeated: 1, refused: 2, doubted: 4, half: 4 })
  ) {
    case 'itemRefused':
      return { kind: 'fault', ...random.pick(ITEM_REFUSALS), when: 'before', items: someItems(random) };
    case 'itemDoubted':
      return { kind: 'fault', ...random.pick(ITEM_DOUBTS), when: side(random), items: someItems(random), times };
    case 'omitted':
      return { kind: 'omit', when: side(random), items: someItems(random), times };
    case 'repeated':
      return { kind: 'repeat', items: someItems(random) };
    case 'refused': {
      const refusal = random.pick(WHOLE_REFUSALS);
      // See `refuseToken` of stories about QuickBooks.
      return refusal.kind === '401' && !mayRefuseToken ? { kind: '429', times } : { ...refusal, times };
    }
    case 'doubted':
      return { ...random.pick(WHOLE_DOUBTS), when: side(random), times };
    case 'half':
      return { ...random.pick(WHOLE_DOUBTS), items: someItems(random), times };
  }
}

function side(random: Random): string {
  return random.pick(['before', 'after']);
}

function someItems(random: Random): number[] {
  return random.pick([[1], [2], [1, 2], [2, 3], [1, 3, 5], [4]]);
}

export function batchSettings(random: Random): object {
  return { shuffleBatchAnswers: random.chance(0.5), failRepeatedBatchItems: random.chance(0.2) };
}
