import { describe, expect, test } from '@jest/globals';
import { type Answer, gatewayWith, NOW, refuse } from './stand-in-gateway.js';

const INVALID = 'invalid_request_error';
const trace = (statusCode: number) => ({ statusCode, requestId: 'req_no' });

async function failureOfWrite(answer: Answer) {
  const { gateway } = await gatewayWith(answer);
  const sent = await gateway.sendInvoice('con_1', 'in_1', 'op_1');
  return sent.ok ? undefined : sent.failure;
}

async function failureOfRead(answer: Answer) {
  const { gateway } = await gatewayWith(answer);
  const read = await gateway.readInvoice('con_1', 'in_1');
  return read.ok ? undefined : read.failure;
}

describe('a write', () => {
  test.each([
    ['of a kind that it does not accept', 400, { type: INVALID, code: 'parameter_invalid_empty' }, 'validation'],
    ['to an invoice that is past editing', 400, { type: INVALID, code: 'invoice_not_editable' }, 'stale'],
    ['that the state forbids', 400, { type: INVALID, code: 'status_transition_invalid' }, 'stale'],
    ['to an invoice that is gone', 404, { type: INVALID, code: 'resource_missing', param: 'invoice' }, 'not_found'],
    ['to one named in the old way', 404, { type: INVALID, code: 'resource_missing', param: 'id' }, 'not_found'],
    [
      'that names a missing customer',
      400,
      { type: INVALID, code: 'resource_missing', param: 'customer' },
      'bad_reference',
    ],
    [
      'that a proxy of Stripe calls 404',
      404,
      { type: INVALID, code: 'resource_missing', param: 'customer' },
      'bad_reference',
    ],
    ['without permission', 403, { type: INVALID, code: 'more_permissions_required' }, 'permission'],
    ['that a card refuses', 402, { type: 'card_error', code: 'card_declined' }, 'validation'],
  ])('%s is rejected', async (_what, status, error, reason) => {
    const failure = await failureOfWrite(refuse(status, { ...error, message: 'It is so' }));
    expect(failure).toEqual({ kind: 'rejected', reason, code: error.code, message: 'It is so.', trace: trace(status) });
  });

  test('of an object of the other mode does not count as missing', async () => {
    const message = "No such invoice: 'in_1'; a similar object exists in live mode, but a test mode key was used.";
    const failure = await failureOfWrite(
      refuse(404, { type: INVALID, code: 'resource_missing', param: 'id', message }),
    );
    expect(failure).toMatchObject({ kind: 'rejected', reason: 'bad_reference' });
  });

  test('with a key that is no longer valid needs a person', async () => {
    const failure = await failureOfWrite(refuse(401, { type: INVALID, code: 'api_key_expired', message: 'Expired.' }));
    expect(failure).toEqual({ kind: 'reconnect_required', message: 'Expired.', trace: trace(401) });
  });

  test.each([
    [429, { type: INVALID, code: 'rate_limit' }, {}, 4_000],
    [429, { type: INVALID, code: 'lock_timeout' }, { 'retry-after': '7' }, 7_000],
    [429, { type: INVALID }, { 'retry-after': 'soon' }, 4_000],
    [400, { type: INVALID, code: 'rate_limit' }, {}, 4_000],
  ])('that is one too many (%i %j) may be sent again a little later', async (status, error, headers, ms) => {
    const failure = await failureOfWrite(refuse(status, { ...error, message: 'Slower.' }, headers));
    const retryAt = new Date(NOW.getTime() + ms);
    expect(failure).toEqual({ kind: 'unavailable', message: 'Slower.', trace: trace(status), retryAt });
  });

  test('whose key is at work at this moment is open', async () => {
    const error = { type: 'idempotency_error', code: 'idempotency_key_in_use', message: 'Wait.' };
    expect(await failureOfWrite(refuse(409, error))).toEqual({ kind: 'unknown', message: 'Wait.', trace: trace(409) });
  });

  test('whose key Stripe knows with other parameters is a repetition of something', async () => {
    const failure = await failureOfWrite(refuse(400, { type: 'idempotency_error', message: 'Keys differ.' }));
    expect(failure).toEqual({ kind: 'unknown', isRepetition: true, message: 'Keys differ.', trace: trace(400) });
  });

  test.each([500, 502, 503])('that ends with status %i is open', async (status) => {
    const failure = await failureOfWrite(refuse(status, { type: 'api_error', message: 'Sorry.' }));
    expect(failure).toEqual({ kind: 'unknown', message: 'Sorry.', trace: trace(status) });
  });

  test.each([
    ['a proxy’s page instead of a refusal', 404, '<html>Not found</html>'],
    ['a bare refusal', 400, '{}'],
    ['a bare lack of access', 401, ''],
    ['an error that is a text', 400, '{"error":"invalid_request"}'],
    ['an error that is nothing', 400, '{"error":null}'],
    ['no answer at all', 200, ''],
    ['half an answer', 200, '{"id":"in_'],
    ['another object', 200, '{"id":"cus_1","object":"customer"}'],
    ['JSON that is no object', 200, 'null'],
  ])('that gets %s is open', async (_what, status, body) => {
    const failure = await failureOfWrite((_request, response) => void response.writeHead(status).end(body));
    expect(failure).toMatchObject({ kind: 'unknown', trace: { statusCode: status } });
  });

  test('long explanations are cut', async () => {
    const failure = await failureOfWrite(refuse(400, { type: INVALID, message: 'word '.repeat(2000) }));
    expect(failure?.message.length).toBeLessThanOrEqual(501);
  });
});

describe('a read', () => {
  test.each([
    ['a server error', refuse(500, { type: 'api_error', message: 'Sorry.' })],
    ['a conflict', refuse(409, { type: INVALID, message: 'Busy.' })],
    ['a proxy’s page', ((_request, response) => void response.writeHead(404).end('<html>')) satisfies Answer],
    ['a document that is none', ((_request, response) => void response.end('{"id":"in_1"}')) satisfies Answer],
    ['a lost connection', ((_request, response) => void response.destroy()) satisfies Answer],
  ])('that fails with %s may simply be repeated', async (_what, answer) => {
    expect(await failureOfRead(answer)).toMatchObject({ kind: 'unavailable' });
  });

  test('of a missing invoice says so', async () => {
    const error = { type: INVALID, code: 'resource_missing', param: 'invoice', message: 'No such invoice.' };
    expect(await failureOfRead(refuse(404, error))).toMatchObject({ kind: 'rejected', reason: 'not_found' });
  });
});
