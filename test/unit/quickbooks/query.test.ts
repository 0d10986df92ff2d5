import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ACTIVE_OR_NOT, queryCall, quote, select } from '../../../src/infrastructure/quickbooks/query.js';

/** Reads a literal the way QuickBooks' lexer does: a backslash makes the next character an ordinary one. */
function readLiteral(source: string): { readonly text: string; readonly rest: string } {
  if (!source.startsWith("'")) throw new Error(`no literal: ${source}`);
  let text = '';
  for (let index = 1; index < source.length; index++) {
    const character = source.charAt(index);
    if (character === "'") return { text, rest: source.slice(index + 1) };
    if (character === '\\') index++;
    text += source.charAt(index);
  }
  throw new Error(`unterminated literal: ${source}`);
}

function readList(source: string): string[] {
  const { text, rest } = readLiteral(source);
  return rest.startsWith(', ') ? [text, ...readList(rest.slice(2))] : [text];
}

const nastyText = fc.string({ unit: fc.constantFrom("'", '\\', ' ', 'a', '%', ')', ',', 'é', '💶', '\n') });

describe('the query language', () => {
  test('an apostrophe is escaped with a backslash, and a backslash with another, before it', () => {
    expect(quote("Amy's Bird Sanctuary")).toBe("'Amy\\'s Bird Sanctuary'");
    expect(quote('a\\b')).toBe("'a\\\\b'");
    expect(quote("\\'")).toBe("'\\\\\\''");
  });

  test('whatever the text, the literal reads back as the text and ends where it should', () => {
    fc.assert(
      fc.property(fc.oneof(nastyText, fc.string({ unit: 'binary' })), (text) => {
        expect(readLiteral(`${quote(text)} tail`)).toEqual({ text: text.toWellFormed(), rest: ' tail' });
      }),
    );
  });

  test('no value can leave its place in a list', () => {
    fc.assert(
      fc.property(fc.array(nastyText, { minLength: 1, maxLength: 5 }), (names) => {
        const statement = select('Customer', [{ field: 'DisplayName', in: names }]);
        const prefix = 'select * from Customer where DisplayName in (';
        expect(statement.startsWith(prefix)).toBe(true);
        expect(readList(statement.slice(prefix.length))).toEqual(names);
        expect(statement.endsWith(') maxresults 1000')).toBe(true);
      }),
    );
  });

  test('conditions are joined with and; inactive entries are asked for by naming both states', () => {
    expect(select('Customer', [{ field: 'DisplayName', in: ['A', "B's"] }, ACTIVE_OR_NOT])).toBe(
      "select * from Customer where DisplayName in ('A', 'B\\'s') and Active in (true, false) maxresults 1000",
    );
  });

  test('an empty list is refused: it has no spelling', () => {
    expect(() => select('Payment', [{ field: 'Id', in: [] }])).toThrow(RangeError);
  });

  test('a short statement goes into the URL', () => {
    expect(queryCall('find', "select * from Item where Name = 'x'")).toEqual({
      operation: 'find',
      effect: 'read',
      method: 'GET',
      path: 'query',
      query: { query: "select * from Item where Name = 'x'" },
    });
  });

  test('a long statement goes into a body, and still counts as a read', () => {
    const statement = select('Payment', [{ field: 'Id', in: Array.from({ length: 500 }, (_, index) => `${index}`) }]);
    expect(queryCall('read_payments', statement)).toEqual({
      operation: 'read_payments',
      effect: 'read',
      method: 'POST',
      path: 'query',
      body: statement,
      contentType: 'application/text',
    });
  });
});
