import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CREATED_AT, keysetClauses } from '../../../src/application/queries/keyset.js';
import {
  type PageRequest,
  PageRequestError,
  pageOf,
  readPageRequest,
  toPage,
  writeCursor,
} from '../../../src/application/queries/page.js';

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const TIME = '2026-11-02T10:00:00.000Z';

describe('a page request', () => {
  test('is for the first 20 unless it says otherwise', () => {
    expect(readPageRequest({})).toEqual({ size: 20, isBackward: false, after: undefined, before: undefined });
    expect(readPageRequest({ first: null, last: null, after: null, before: null }).size).toBe(20);
  });

  test('may be for 1 to 100, from either end', () => {
    expect(readPageRequest({ first: 1 })).toMatchObject({ size: 1, isBackward: false });
    expect(readPageRequest({ last: 100 })).toMatchObject({ size: 100, isBackward: true });
  });

  test.each([0, -1, 101, 2_147_483_647])('is refused, not clamped, for %i', (size) => {
    expect(() => readPageRequest({ first: size })).toThrow(PageRequestError);
    expect(() => readPageRequest({ last: size })).toThrow(`A page has 1 to 100 items; ${size} were asked for.`);
  });

  test('is refused for both ends', () => {
    expect(() => readPageRequest({ first: 1, last: 1 })).toThrow('Give "first" or "last", not both.');
  });

  test('understands a cursor it gave out', () => {
    const after = writeCursor([TIME, 'po_1']);
    expect(readPageRequest({ after }).after).toEqual([TIME, 'po_1']);
  });

  test('knows of which ordering a cursor is', () => {
    const after = writeCursor([TIME, 'po_1', 'UPDATED_AT']);
    expect(readPageRequest({ after }).after).toEqual([TIME, 'po_1', 'UPDATED_AT']);
  });

  test.each([
    ['empty', ''],
    ['no base64', '!!!'],
    ['no JSON', Buffer.from('hello').toString('base64url')],
    ['another version', encode([2, TIME, 'po_1'])],
    ['no version', encode([TIME, 'po_1'])],
    ['too much', encode([1, TIME, 'po_1', 'TOTAL', 'x'])],
    ['an ordering with SQL', encode([1, TIME, 'po_1', 'TOTAL; --'])],
    ['another type', encode([1, 5, 'po_1'])],
    ['an object', encode({ 0: 1, 1: TIME, 2: 'po_1' })],
    ['null', encode(null)],
    ['an endless value', encode([1, 'x'.repeat(501), 'po_1'])],
    ['an endless id', encode([1, TIME, 'x'.repeat(101)])],
    ['an id with NUL', encode([1, TIME, 'po_\u0000'])],
    ['an id with SQL', encode([1, TIME, "po_1' or 1=1"])],
  ])('refuses a forged cursor: %s', (_what, cursor) => {
    expect(() => readPageRequest({ after: cursor })).toThrow(PageRequestError);
    expect(() => readPageRequest({ before: cursor })).toThrow('This cursor is not one of ours');
  });

  test('never fails in another way, whatever the cursor', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((json) => Buffer.from(json).toString('base64url')),
        ),
        (after) => {
          try {
            readPageRequest({ after });
          } catch (error) {
            expect(error).toBeInstanceOf(PageRequestError);
          }
        },
      ),
    );
  });
});

describe('a list sorted by time', () => {
  const clausesAfter = (sortValue: string) =>
    keysetClauses(CREATED_AT, 'DESC', readPageRequest({ first: 2, after: writeCursor([sortValue, 'po_1']) }));

  test('goes on behind the cursor and asks for one row more than a page has', () => {
    expect(clausesAfter(TIME)).toEqual({
      conditions: [{ sql: '(created_at, id) < (?::timestamptz, ?)', params: [TIME, 'po_1'] }],
      orderAndLimit: { sql: 'order by created_at desc, id desc limit ?', params: [3] },
    });
  });

  test.each([
    'nonsense',
    'infinity',
    '2026-02-30T10:00:00.000Z',
    '2026-11-02T25:00:00.000Z',
    '0000-01-01T00:00:00.000Z',
    'PO-ABC123',
    '',
  ])('refuses a cursor with the time %j instead of failing in the database', (sortValue) => {
    expect(() => clausesAfter(sortValue)).toThrow(PageRequestError);
  });
});

describe('paging', () => {
  const rows = Array.from({ length: 25 }, (_, index) => `id_${String(index).padStart(2, '0')}`);
  const page = (request: PageRequest) => pageOf(rows, request, (id) => ['same', id]);
  const itemsOf = (request: PageRequest) => page(request).items.map(({ item }) => item);

  test('forward and backward meets every row once, for every page size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), (size) => {
        const forward: string[] = [];
        for (let after: string | undefined; ; ) {
          const { items, hasNextPage, hasPreviousPage } = page({ first: size, ...(after && { after }) });
          forward.push(...items.map(({ item }) => item));
          expect(hasPreviousPage).toBe(after !== undefined);
          if (!hasNextPage) break;
          after = items.at(-1)?.cursor;
        }
        expect(forward).toEqual(rows);
        const backward: string[] = [];
        for (let before: string | undefined; ; ) {
          const { items, hasPreviousPage, hasNextPage } = page({ last: size, ...(before && { before }) });
          backward.unshift(...items.map(({ item }) => item));
          expect(hasNextPage).toBe(before !== undefined);
          if (!hasPreviousPage) break;
          before = items[0]?.cursor;
        }
        expect(backward).toEqual(rows);
      }),
    );
  });

  test('between two cursors gives what is between them', () => {
    const [after, before] = [writeCursor(['same', 'id_03']), writeCursor(['same', 'id_07'])];
    expect(itemsOf({ after, before })).toEqual(['id_04', 'id_05', 'id_06']);
    expect(itemsOf({ last: 2, after, before })).toEqual(['id_05', 'id_06']);
    expect(itemsOf({ after: before, before: after })).toEqual([]);
  });

  test('refuses the cursor of another list', () => {
    expect(() => page({ after: writeCursor(['same', 'other']) })).toThrow('This cursor belongs to another list.');
  });

  test('an empty list is a page without items', () => {
    expect(toPage([], readPageRequest({}), () => ['', ''])).toEqual({
      items: [],
      hasNextPage: false,
      hasPreviousPage: false,
    });
  });
});
