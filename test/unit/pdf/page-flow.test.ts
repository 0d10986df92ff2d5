import { describe, expect, test } from '@jest/globals';
import { type Block, placeOnPages } from '../../../src/infrastructure/documents/page-flow.js';

const PAGE = { top: 10, bottom: 110 };

/** A block that can be told by its height. */
function block(height: number, more: Partial<Block> = {}): Block {
  return { height, draw: () => undefined, ...more };
}

function placed(blocks: readonly Block[]): [height: number, y: number][][] {
  return placeOnPages(blocks, PAGE).map((page) => page.map(({ block: { height }, y }) => [height, y]));
}

describe('blocks on pages', () => {
  test('stand below each other, up to the last point of a page', () => {
    expect(placed([block(60), block(40), block(1)])).toEqual([
      [
        [60, 10],
        [40, 70],
      ],
      [[1, 10]],
    ]);
  });

  test('have one page even when there are none', () => {
    expect(placed([])).toEqual([[]]);
  });

  test('move on together with what they must not be parted from', () => {
    expect(
      placed([block(70), block(10, { staysWithNext: true }), block(5, { staysWithNext: true }), block(20)]),
    ).toEqual([
      [[70, 10]],
      [
        [10, 10],
        [5, 20],
        [20, 25],
      ],
    ]);
  });

  test('repeat their header at the top of a page, and only there', () => {
    const header = block(7, { staysWithNext: true });
    const row = block(50, { header });
    expect(placed([header, row, row, row])).toEqual([
      [
        [7, 10],
        [50, 17],
      ],
      [
        [7, 10],
        [50, 17],
      ],
      [
        [7, 10],
        [50, 17],
      ],
    ]);
  });

  test('that are taller than a page begin one of their own', () => {
    expect(placed([block(5), block(500), block(5)])).toEqual([[[5, 10]], [[500, 10]], [[5, 10]]]);
  });
});
