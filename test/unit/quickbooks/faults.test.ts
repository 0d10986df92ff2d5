import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readAnswerBody } from '../../../src/infrastructure/quickbooks/fault-reader.js';
import { type CallEffect, type CallFailure, classifyRefusal } from '../../../src/infrastructure/quickbooks/faults.js';

const trace = { statusCode: 400, requestId: '1-69f9b317' };

function upperCase(code: string, message: string, detail: string): string {
  return JSON.stringify({
    Fault: { Error: [{ Message: message, Detail: detail, code, element: '' }], type: 'ValidationFault' },
    time: '2026-09-01T19:27:51.208-07:00',
  });
}

function lowerCase(code: string, message: string, detail: string | null): string {
  return JSON.stringify({
    warnings: null,
    intuitObject: null,
    fault: { error: [{ message, detail, code, element: null }], type: 'AUTHENTICATION' },
    queryResponse: null,
    batchItemResponse: [],
    requestId: null,
    time: 1601391072830,
  });
}

function classify(status: number, text: string, effect: CallEffect = 'write', secrets: string[] = []): CallFailure {
  const body = readAnswerBody(text);
  return classifyRefusal({ status, fault: body.kind === 'fault' ? body.fault : undefined, effect, trace, secrets });
}

function kindOf(failure: CallFailure): string {
  return failure.kind === 'failed' ? failure.failure.kind : failure.kind;
}

describe('reading what QuickBooks answers', () => {
  test('validation faults in upper case', () => {
    expect(readAnswerBody(upperCase('6240', 'Duplicate Name Exists Error', 'The name … : Id=1209'))).toEqual({
      kind: 'fault',
      fault: { code: '6240', message: 'Duplicate Name Exists Error', detail: 'The name … : Id=1209' },
    });
  });

  test('gateway faults in lower case, without a detail', () => {
    const message = 'message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403';
    expect(readAnswerBody(lowerCase('3100', message, null))).toEqual({
      kind: 'fault',
      fault: { code: '3100', message, detail: '' },
    });
  });

  test('XML, which the gateway sometimes sends although JSON was asked for', () => {
    const xml = `<?xml version="1.0"?><IntuitResponse xmlns="http://schema.intuit.com/finance/v3" time="2017-07-30T22:45:22.933-07:00"><Fault type="SERVICE"><Error code="3001"><Message>message=ThrottleExceeded; errorCode=003001; statusCode=429</Message><Detail>The request limit was reached.  Try again &amp; again later</Detail></Error></Fault></IntuitResponse>`;
    expect(readAnswerBody(xml)).toEqual({
      kind: 'fault',
      fault: {
        code: '3001',
        message: 'message=ThrottleExceeded; errorCode=003001; statusCode=429',
        detail: 'The request limit was reached.  Try again & again later',
      },
    });
  });

  test('a fault that names its code in the message only', () => {
    const body = '{"fault":{"error":[{"message":"message=AuthenticationFailed; errorCode=003200; statusCode=401"}]}}';
    const read = readAnswerBody(body);
    expect(read.kind === 'fault' && read.fault.code).toBe('3200');
  });

  test('an answer, also one whose texts quote a fault, is an answer', () => {
    const text = '{"Invoice":{"PrivateNote":"<Fault code=\\"1\\">"},"fault":null}';
    expect(readAnswerBody(text)).toEqual({
      kind: 'json',
      json: { Invoice: { PrivateNote: '<Fault code="1">' }, fault: null },
    });
  });

  test.each([
    ['HTML', '<html><body><h1>502 Bad Gateway</h1></body></html>'],
    ['an empty body', ''],
    ['a body that was cut off', '{"Invoice":{"Id":"155","TotalAmt":100.'],
  ])('%s is unreadable', (_what, text) => {
    expect(readAnswerBody(text)).toEqual({ kind: 'unreadable' });
  });
});

test('no body whatsoever makes reading it throw', () => {
  const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  expect(readAnswerBody(nested).kind).not.toBe('fault');
  const anything = fc.oneof(
    fc.string(),
    fc.json(),
    fc.json().map((json) => `{"Fault":${json},"fault":${json}}`),
  );
  fc.assert(
    fc.property(anything, (text) => {
      expect(['json', 'fault', 'unreadable']).toContain(readAnswerBody(text).kind);
    }),
  );
});

describe('what a refusal means', () => {
  const expired = lowerCase(
    '3200',
    'message=AuthenticationFailed; errorCode=003200; statusCode=401',
    'Token expired: x1',
  );
  const throttled = lowerCase(
    '3001',
    'message=ThrottleExceeded; errorCode=003001; statusCode=429',
    'The request limit',
  );

  test.each<[string, string, number, string]>([
    ['an expired token (3200)', 'unauthorised', 401, expired],
    ['a general authentication error (100)', 'unauthorised', 401, upperCase('100', 'General Authentication Error', '')],
    ['401 without any explanation', 'unauthorised', 401, ''],
    ['3200 under another status', 'unauthorised', 403, expired],
    ['missing scope or a wrong company (3100)', 'reconnect_required', 403, lowerCase('3100', 'message=x', null)],
    ['no access to the company (120)', 'reconnect_required', 401, upperCase('120', 'Authorization Failure', 'y')],
    ['a sandbox company in production (130)', 'reconnect_required', 401, upperCase('130', 'Wrong Cluster', 'z')],
    ['403 without any explanation', 'reconnect_required', 403, '<html></html>'],
    ['throttling (3001)', 'unavailable', 429, throttled],
    ['throttling in HTML', 'unavailable', 429, '<html>Too many requests</html>'],
    ['maintenance of the company (150)', 'unavailable', 403, upperCase('150', 'Company under maintenance', '')],
    ['a system failure (10000)', 'unknown', 500, upperCase('10000', 'An application error has occurred', 'System')],
    ['a system failure under status 400', 'unknown', 400, upperCase('10000', 'An application error', 'System')],
    ['500 with an empty body', 'unknown', 500, ''],
    ['502 in HTML', 'unknown', 502, '<html>Bad Gateway</html>'],
    ['503', 'unknown', 503, 'Service Unavailable'],
    ['504', 'unknown', 504, ''],
    ['408', 'unknown', 408, ''],
    ['a request id that is known already (600)', 'unknown', 400, upperCase('600', 'Duplicate Request ID', 'exists')],
    ['200 with HTML', 'unknown', 200, '<html></html>'],
    ['200 with an empty body', 'unknown', 200, ''],
    ['a redirect', 'unknown', 302, ''],
    ['a client error without an explanation', 'rejected', 400, ''],
    ['413 in HTML', 'rejected', 413, '<html>Request Entity Too Large</html>'],
  ])('for a write, %s is: %s', (_what, expected, status, text) => {
    expect(kindOf(classify(status, text))).toBe(expected);
  });

  test('trouble while saving (6000) leaves open whether something was saved', () => {
    const detail =
      'Business Validation Error: An unexpected error occurred while accessing or saving your data. Please wait a few minutes and try again.';
    expect(kindOf(classify(400, upperCase('6000', 'A business validation error has occurred', detail)))).toBe(
      'unknown',
    );
  });

  test.each([500, 502, 503, 504, 408, 200])('a read that ends with status %i is merely unavailable', (status) => {
    expect(kindOf(classify(status, '', 'read'))).toBe('unavailable');
  });

  test.each([
    ['5010', 'stale'],
    ['610', 'not_found'],
    ['2500', 'bad_reference'],
    ['6250', 'bad_reference'],
    ['6200', 'closed_period'],
    ['6210', 'closed_period'],
    ['6190', 'subscription'],
    ['6140', 'duplicate_number'],
    ['6240', 'duplicate_name'],
    ['2010', 'validation'],
    ['2020', 'validation'],
    ['6000', 'validation'],
    ['6070', 'validation'],
    ['5020', 'permission'],
    ['4000', 'validation'],
    ['12345', 'validation'],
  ])('fault %s is a rejection: %s', (code, reason) => {
    expect(classify(400, upperCase(code, 'Some Error', 'Some Error : it says.'))).toEqual({
      kind: 'failed',
      failure: { kind: 'rejected', reason, code, message: 'Some Error : it says.', trace },
    });
  });

  test('a fault inside status 200 counts as the fault', () => {
    expect(kindOf(classify(200, upperCase('5010', 'Stale Object Error', 'x')))).toBe('rejected');
    expect(kindOf(classify(200, expired))).toBe('unauthorised');
  });

  test.each(['6190', '5020'])('fault %s with status 403 is a rejection, not a lost connection', (code) => {
    expect(kindOf(classify(403, upperCase(code, 'Error', 'x')))).toBe('rejected');
  });

  test('a duplicate number names the document that has it', () => {
    const detail =
      'Duplicate Document Number Error : You must specify a different number. This number has already been used. DocNumber=18696 is assigned to TxnType=Invoice with TxnId=6575';
    expect(classify(400, upperCase('6140', 'Duplicate Document Number Error', detail))).toEqual({
      kind: 'failed',
      failure: {
        kind: 'rejected',
        reason: 'duplicate_number',
        code: '6140',
        message: `${detail}.`,
        conflictingId: '6575',
        trace,
      },
    });
  });

  test('a duplicate name names its holder when QuickBooks tells, and nobody when it writes null', () => {
    const of = (tail: string) => classify(400, upperCase('6240', 'Duplicate Name Exists Error', `Exists. : ${tail}`));
    expect(of('Id=1209')).toMatchObject({ failure: { reason: 'duplicate_name', conflictingId: '1209' } });
    expect(of('null')).toMatchObject({ failure: { reason: 'duplicate_name' } });
    expect(of('null')).not.toHaveProperty('failure.conflictingId');
  });
});

describe('what a person reads', () => {
  function messageOf(failure: CallFailure): string {
    return failure.kind === 'failed' ? failure.failure.message : failure.message;
  }

  test('message and detail in one line, ended like a sentence', () => {
    expect(messageOf(classify(400, upperCase('2020', 'Required param missing', 'Line is\n\tmissing')))).toBe(
      'Required param missing: Line is missing.',
    );
  });

  test('without an explanation, the status and nothing of the body', () => {
    expect(messageOf(classify(502, '<html>internal host 10.0.0.7</html>'))).toBe(
      'QuickBooks answered with status 502 and no explanation.',
    );
  });

  test('at most 500 characters and a full stop', () => {
    expect(messageOf(classify(400, upperCase('2010', 'Property', 'known field, '.repeat(500)))).length).toBeLessThan(
      502,
    );
  });

  test('no access token, whether QuickBooks repeats all of it or its beginning', () => {
    const token = 'eyJlbmMiOiJBMTI4Q0JDLUhTMjU2IiwiYWxnIjoiZGlyIn0..Wm9vbQ.c2VjcmV0LXBheWxvYWQ.dGFn';
    const whole = classify(401, lowerCase('3200', 'message=x', `Token expired: ${token}`), 'write', [token]);
    const part = classify(401, lowerCase('3200', 'message=x', `Token expired: ${token.slice(0, 40)}`), 'write', [
      token,
    ]);
    expect(messageOf(whole)).toBe('message=x: Token expired: [redacted].');
    expect(messageOf(part)).toBe('message=x: Token expired: [redacted].');
  });
});
