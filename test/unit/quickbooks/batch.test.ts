import { describe, expect, test } from '@jest/globals';
import {
  type BatchItemResponse,
  envelopeBody,
  envelopeItems,
  readBatchResponse,
  readItem,
} from '../../../src/infrastructure/quickbooks/batch.js';

const trace = { requestId: 'tid-1' };

/** As the gateway does, of answers that say their value; one of them cannot be read. */
async function readAll(answers: readonly unknown[], items: readonly string[]) {
  const responses = readBatchResponse({ BatchItemResponse: answers });
  const read = async ({ value }: BatchItemResponse) => {
    if (value === 'poison') throw new RangeError('a bug');
    return value;
  };
  return Promise.all(items.map((item) => readItem(responses?.get(item) ?? [], trace, read)));
}

describe('The answer to a batch', () => {
  test('is read item by item: one whose reading throws is unknown, and the others count', async () => {
    const answers = [
      { bId: '1', value: 'one' },
      { bId: '2', value: 'poison' },
      { bId: '3', value: 'three' },
    ];
    expect(await readAll(answers, ['1', '2', '3'])).toEqual([
      { ok: true, value: 'one', trace },
      {
        ok: false,
        failure: { kind: 'unknown', message: 'The answer of QuickBooks could not be read here.', trace },
      },
      { ok: true, value: 'three', trace },
    ]);
  });

  test('may hold what is no answer to an item, which spoils none', async () => {
    const answers = [null, 'text', { bId: 7, value: 'seven' }, { bId: '1', value: 'one' }];
    expect(await readAll(answers, ['1', '7'])).toEqual([
      { ok: true, value: 'one', trace },
      { ok: false, failure: expect.objectContaining({ kind: 'unknown' }) },
    ]);
  });

  test('is none when it is no list', () => {
    expect(readBatchResponse({ BatchItemResponse: 'none' })).toBeUndefined();
  });
});

test('A batch says which items it holds', () => {
  const body = envelopeBody([
    { item: '1', body: '{"a":1.00}' },
    { item: '2', body: '{"b":2.00}' },
  ]);
  expect(envelopeItems(body)).toEqual(['1', '2']);
});
