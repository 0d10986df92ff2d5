import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { redact } from '../../../src/infrastructure/quickbooks/redact.js';

const base64url = (length: number) =>
  fc.string({
    unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'),
    minLength: length,
    maxLength: length,
  });
const alphanumeric = (length: number) => base64url(length).map((text) => text.replace(/[-_]/g, 'x'));

/** The shapes of Intuit's tokens: encrypted JWT (5 parts), and the two generations of refresh tokens. */
const token = fc.oneof(
  fc
    .tuple(base64url(60), base64url(22), base64url(900), base64url(22))
    .map((parts) => `eyJ${parts[0]}..${parts.slice(1).join('.')}`),
  alphanumeric(40).map((text) => `RT1-39-H3-1785429816${text}`),
  alphanumeric(46).map((text) => `AB11${text}`),
  alphanumeric(40).map((text) => `AB0160${text}`),
);

describe('redaction', () => {
  test('no piece of a token gets through, wherever it stands', () => {
    fc.assert(
      fc.property(token, fc.constantFrom('Token expired: ', 'refused ', '"access_token":"', '('), (secret, before) => {
        const redacted = redact(`${before}${secret} and more`);
        expect(redacted).toBe(`${before}[redacted] and more`);
      }),
    );
  });

  test('a given secret is removed whatever it looks like', () => {
    expect(redact('the word swordfish, twice: swordfish', ['swordfish', ''])).toBe(
      'the word [redacted], twice: [redacted]',
    );
  });

  test.each([
    'Duplicate Document Number Error : DocNumber=18696 is assigned to TxnType=Invoice with TxnId=6575',
    'Property Name:Unrecognized field "BadJson" (class com.intuit.schema.finance.v3.Invoice), not marked as ignorable',
    'Operation /v3/company/123145848742329/customer/1/5 of https://c50.sandbox.qbo.intuit.com/qbo50/v3 is not supported',
    'Token revoked by the user',
    'Malformed bearer token: too short or too long',
    'Invalid Reference Id : Names element id 9999 not found for someone.with.a.long.name@conference-2026.example',
  ])('an ordinary explanation stays as it is: %s', (text) => {
    expect(redact(text)).toBe(text);
  });
});
