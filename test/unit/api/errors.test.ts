import { describe, expect, test } from '@jest/globals';
import { GraphQLError } from 'graphql';
import { readBearerCredential } from '../../../src/api/graphql/authentication.js';
import { badUserInput, createErrorFormatter, unauthenticated } from '../../../src/api/graphql/errors.js';
import { AccessDenied } from '../../../src/application/access/permissions.js';
import { PageRequestError } from '../../../src/application/queries/page.js';

function format(error: unknown) {
  const reported: unknown[] = [];
  const formatter = createErrorFormatter({
    requestId: () => 'request-1',
    onRefused: () => undefined,
    report: (cause) => {
      reported.push(cause);
    },
  });
  const wrapped =
    error instanceof GraphQLError
      ? error
      : new GraphQLError(String(error), {
          path: ['purchaseOrder'],
          ...(error instanceof Error && { originalError: error }),
          extensions: { code: 'INTERNAL_SERVER_ERROR', stacktrace: ['at secret.ts:1'] },
        });
  return { shown: formatter(wrapped.toJSON(), wrapped), reported };
}

describe('what a client sees of an error', () => {
  test('is a code and the request id, when nobody foresaw it', () => {
    const cause = new Error('relation "payment" does not exist');
    const { shown, reported } = format(cause);
    expect(shown).toEqual({
      message: 'Something went wrong on our side. Tell us the request id if it happens again.',
      path: ['purchaseOrder'],
      extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: 'request-1' },
    });
    expect(reported).toEqual([cause]);
  });

  test('is masked, too, when it bears a code that is none of ours', () => {
    const { shown, reported } = format(new GraphQLError('select *', { extensions: { code: '42P01' } }));
    expect(shown.extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR', requestId: 'request-1' });
    expect(shown.message).not.toContain('select');
    expect(reported).toHaveLength(1);
  });

  test('is the whole message, when it was written for clients', () => {
    expect(format(badUserInput('Give either "id" or "slug".'))).toEqual({
      shown: {
        message: 'Give either "id" or "slug".',
        extensions: { code: 'BAD_USER_INPUT', requestId: 'request-1' },
      },
      reported: [],
    });
    expect(format(unauthenticated()).shown.extensions).toEqual({ code: 'UNAUTHENTICATED', requestId: 'request-1' });
  });

  test('is FORBIDDEN and why, for what the actor sees but may not do', () => {
    expect(format(new AccessDenied('This needs the role FINANCE in the conference conf_1.'))).toEqual({
      shown: {
        message: 'This needs the role FINANCE in the conference conf_1.',
        path: ['purchaseOrder'],
        extensions: { code: 'FORBIDDEN', requestId: 'request-1' },
      },
      reported: [],
    });
  });

  test('is BAD_USER_INPUT for a page that cannot be', () => {
    const { shown, reported } = format(new PageRequestError('Give "first" or "last", not both.'));
    expect(shown).toEqual({
      message: 'Give "first" or "last", not both.',
      path: ['purchaseOrder'],
      extensions: { code: 'BAD_USER_INPUT', requestId: 'request-1' },
    });
    expect(reported).toEqual([]);
  });
});

describe('the key in the Authorization header', () => {
  test.each([
    ['Bearer abc', 'abc'],
    ['bearer abc', 'abc'],
    ['BEARER   abc', 'abc'],
  ])('%j holds %s', (header, key) => {
    expect(readBearerCredential(header)).toBe(key);
  });

  test.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'abc',
    'Basic abc',
    'Bearer a b',
    'Bearer\tabc',
    `Bearer ${'x'.repeat(8001)}`,
  ])('%j holds none', (header) => {
    expect(readBearerCredential(header)).toBeUndefined();
  });
});
