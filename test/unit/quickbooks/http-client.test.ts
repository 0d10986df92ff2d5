import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import nock from 'nock';
import type { QboCallReport } from '../../../src/infrastructure/quickbooks/call-observer.js';
import { intuitEndpoints } from '../../../src/infrastructure/quickbooks/endpoints.js';
import { type QboCall, QboHttpClient } from '../../../src/infrastructure/quickbooks/http-client.js';
import { interceptRequests } from './intercept.js';
import { json, type StandIn, startStandIn } from './stand-in.js';

interceptRequests();

const read: QboCall = { operation: 'read_invoice', effect: 'read', method: 'GET', path: 'invoice/155' };
const write: QboCall = {
  operation: 'create_invoice',
  effect: 'write',
  method: 'POST',
  path: 'invoice',
  body: '{"Amount":100.00}',
  contentType: 'application/json',
  idempotencyKey: 'op_1',
};

let standIn: StandIn | undefined;

afterEach(async () => {
  await standIn?.close();
  standIn = undefined;
});

async function callWith(
  answer: (response: ServerResponse) => void,
  call: QboCall = write,
  options: { timeoutMs?: number; signal?: AbortSignal; onCall?: (report: QboCallReport) => void } = {},
) {
  standIn = await startStandIn((_request, response) => answer(response));
  const { signal, ...clientOptions } = options;
  const client = new QboHttpClient(clientOptions);
  return client.call({ apiBaseUrl: standIn.url, realmId: '4620', accessToken: 'secret-token' }, call, signal);
}

describe('as of when an answer is', () => {
  test('QuickBooks’ own time less the time that the request took: then it had not looked yet', async () => {
    const time = '2026-05-05T02:08:54.543-07:00';
    const answer = await callWith((response) => void setTimeout(() => json(response, 200, { time }), 50), read);
    const asOf = answer.kind === 'answered' ? answer.asOf?.getTime() : undefined;
    expect(asOf).toBeLessThanOrEqual(Date.parse(time) - 50);
    expect(asOf).toBeGreaterThan(Date.parse(time) - 30_000);
  });

  test.each([[{}], [{ time: 'soon' }], [{ time: 1601391072830 }]])('is not known from %j', async (body) => {
    const answer = await callWith((response) => json(response, 200, body), read);
    expect(answer).toMatchObject({ kind: 'answered', asOf: undefined });
  });
});

describe('what is sent', () => {
  test('to the host of the environment, with minor version, token and the wish for JSON', async () => {
    const scope = nock('https://sandbox-quickbooks.api.intuit.com', {
      reqheaders: { accept: 'application/json', authorization: 'Bearer secret-token' },
    })
      .get('/v3/company/4620/invoice/155')
      .query({ minorversion: '75' })
      .reply(200, '{"Invoice":{"TotalAmt":100.00}}', { intuit_tid: '1-abc' });
    const { apiBaseUrl } = intuitEndpoints('SANDBOX');
    const answer = await new QboHttpClient().call({ apiBaseUrl, realmId: '4620', accessToken: 'secret-token' }, read);
    expect(answer).toEqual({
      kind: 'answered',
      json: { Invoice: { TotalAmt: '100.00' } },
      simulated: false,
      trace: { statusCode: 200, requestId: '1-abc' },
    });
    expect(scope.isDone()).toBe(true);
  });

  test('production goes to the production host', () => {
    expect(intuitEndpoints('PRODUCTION')).toEqual({
      apiBaseUrl: 'https://quickbooks.api.intuit.com',
      tokenUrl: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
      authorizeUrl: 'https://appcenter.intuit.com/connect/oauth2',
      revokeUrl: 'https://developer.api.intuit.com/v2/oauth2/tokens/revoke',
    });
  });

  test('a write carries its body unchanged, its type and its idempotency key', async () => {
    await callWith((response) => json(response, 200, {}));
    expect(standIn?.requests).toHaveLength(1);
    expect(standIn?.requests[0]).toMatchObject({
      method: 'POST',
      url: '/v3/company/4620/invoice?minorversion=75&requestid=op_1',
      headers: { 'content-type': 'application/json' },
      body: '{"Amount":100.00}',
    });
  });

  test('query parameters are encoded so that nothing turns into something else', async () => {
    await callWith((response) => json(response, 200, {}), { ...read, query: { query: "a = 'x y+z&é\\''" } });
    expect(standIn?.requests[0]?.url).toBe(
      '/v3/company/4620/invoice/155?query=a%20%3D%20%27x%20y%2Bz%26%C3%A9%5C%27%27&minorversion=75',
    );
  });

  test.each(['', 'k'.repeat(51)])(
    'an idempotency key that QuickBooks would refuse is a bug: nothing is sent',
    async (key) => {
      standIn = await startStandIn((_request, response) => json(response, 200, {}));
      const target = { apiBaseUrl: standIn.url, realmId: '4620', accessToken: 't' };
      await expect(new QboHttpClient().call(target, { ...write, idempotencyKey: key })).rejects.toThrow(RangeError);
      expect(standIn.requests).toEqual([]);
    },
  );
});

describe('what comes back', () => {
  test.each(['intuit_tid', 'intuit-tid', 'Intuit-Tid'])(
    'Intuit’s request id from the header %s, also on failure',
    async (name) => {
      const answer = await callWith((response) => json(response, 500, {}, { [name]: '1-69f9b317' }));
      expect(answer).toMatchObject({ failure: { trace: { statusCode: 500, requestId: '1-69f9b317' } } });
    },
  );

  test('a simulator says that it is one', async () => {
    const answer = await callWith((response) => json(response, 200, {}, { 'x-simulator': 'quickbooks' }), read);
    expect(answer).toMatchObject({ kind: 'answered', simulated: true });
  });

  test('a fault inside status 200 is a failure', async () => {
    const fault = { Fault: { Error: [{ Message: 'Stale Object Error', Detail: 'x', code: '5010' }] } };
    const answer = await callWith((response) => json(response, 200, fault));
    expect(answer).toMatchObject({ kind: 'failed', failure: { kind: 'rejected', reason: 'stale' } });
  });

  test('401 is told apart, without the token that QuickBooks repeats', async () => {
    const fault = { fault: { error: [{ message: 'm', detail: 'Token expired: secret-token', code: '3200' }] } };
    const answer = await callWith((response) => json(response, 401, fault));
    expect(answer).toEqual({
      kind: 'unauthorised',
      message: 'm: Token expired: [redacted].',
      trace: { statusCode: 401 },
    });
  });

  test('a redirect is not followed: it would take the token elsewhere', async () => {
    const answer = await callWith((response) => response.writeHead(307, { location: '/elsewhere' }).end());
    expect(answer).toMatchObject({ failure: { kind: 'unknown', trace: { statusCode: 307 } } });
    expect(standIn?.requests).toHaveLength(1);
  });
});

describe('when the network fails', () => {
  const failures: [string, (response: ServerResponse) => void][] = [
    ['the connection is reset', (response) => response.socket?.resetAndDestroy()],
    ['the connection is closed without an answer', (response) => response.socket?.destroy()],
    [
      'the answer is cut off',
      (response) => {
        response.writeHead(200, { 'content-length': '1000' }).write('{"Invoice":');
        setTimeout(() => response.destroy(), 20);
      },
    ],
    ['no answer comes in time', () => undefined],
    [
      'the answer does not end in time',
      (response) => {
        response.writeHead(200).write('{');
      },
    ],
    ['the answer is broken JSON', (response) => response.writeHead(200).end('{"Invoice":{"Id":"155"')],
    ['the answer is HTML', (response) => response.writeHead(200).end('<html>')],
    ['the answer is empty', (response) => response.writeHead(200).end()],
  ];

  test.each(failures)('%s: a write is unknown', async (_what, answer) => {
    expect(await callWith(answer, write, { timeoutMs: 200 })).toMatchObject({
      kind: 'failed',
      failure: { kind: 'unknown' },
    });
    expect(standIn?.requests).toHaveLength(1);
  });

  test.each(failures)('%s: a read is unavailable', async (_what, answer) => {
    expect(await callWith(answer, read, { timeoutMs: 200 })).toMatchObject({
      kind: 'failed',
      failure: { kind: 'unavailable' },
    });
  });

  test('a refusal whose explanation is cut off is still one', async () => {
    const answer = await callWith((response) => {
      response.writeHead(401, { 'content-length': '1000' }).write('{');
      setTimeout(() => response.destroy(), 20);
    });
    expect(answer).toMatchObject({ kind: 'unauthorised' });
  });

  test('a refused connection certainly sent nothing', async () => {
    const closed = await startStandIn(() => undefined);
    await closed.close();
    const answer = await new QboHttpClient().call({ apiBaseUrl: closed.url, realmId: '1', accessToken: 't' }, write);
    expect(answer).toEqual({
      kind: 'failed',
      failure: { kind: 'unavailable', message: 'QuickBooks could not be reached (ECONNREFUSED).', trace: {} },
      cause: 'not_sent',
    });
  });

  /** `fetch` reports trouble on the network as a TypeError with a cause. */
  async function writeWhenFetchFails(cause: object) {
    const failing = jest.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('fetch failed', { cause }));
    const { apiBaseUrl } = intuitEndpoints('PRODUCTION');
    const answer = await new QboHttpClient().call({ apiBaseUrl, realmId: '1', accessToken: 't' }, write);
    failing.mockRestore();
    return answer;
  }

  test.each([
    'ENOTFOUND',
    'EAI_AGAIN',
    'UND_ERR_CONNECT_TIMEOUT',
    'CERT_HAS_EXPIRED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ])('%s certainly sent nothing', async (code) => {
    const answer = await writeWhenFetchFails(Object.assign(new Error('x'), { code }));
    expect(answer).toMatchObject({ failure: { kind: 'unavailable' } });
  });

  test.each(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT', 'ERR_SSL_BAD_RECORD'])(
    'after %s a write is unknown',
    async (code) => {
      const answer = await writeWhenFetchFails(Object.assign(new Error('x'), { code }));
      expect(answer).toMatchObject({ failure: { kind: 'unknown' } });
    },
  );

  test('a host that cannot be reached, noticed while connecting, received nothing', async () => {
    const cause = Object.assign(new Error('x'), { code: 'EHOSTUNREACH', syscall: 'connect' });
    expect(await writeWhenFetchFails(cause)).toMatchObject({ failure: { kind: 'unavailable' } });
  });

  test('a token that cannot be put into a header is not sent, and not repeated in the message', async () => {
    standIn = await startStandIn((_request, response) => json(response, 200, {}));
    const target = { apiBaseUrl: standIn.url, realmId: '1', accessToken: 'broken\ntoken' };
    const answer = await new QboHttpClient().call(target, write);
    expect(answer).toMatchObject({ failure: { kind: 'unavailable' } });
    expect(JSON.stringify(answer)).not.toContain('token"');
    expect(standIn.requests).toEqual([]);
  });

  test('a deadline that has passed sends nothing', async () => {
    const answer = await callWith((response) => json(response, 200, {}), write, { signal: AbortSignal.abort() });
    expect(answer).toMatchObject({ failure: { kind: 'unavailable' } });
    expect(standIn?.requests).toEqual([]);
  });

  test('a deadline that passes meanwhile leaves a write unknown', async () => {
    const answer = await callWith(() => undefined, write, { signal: AbortSignal.timeout(50) });
    expect(answer).toMatchObject({ failure: { kind: 'unknown' } });
  });
});

describe('what is measured', () => {
  test('each request with its outcome, and nothing secret', async () => {
    const reports: QboCallReport[] = [];
    const onCall = (report: QboCallReport) => reports.push(report);
    await callWith((response) => json(response, 200, {}, { intuit_tid: 'tid-1' }), write, { onCall });
    await standIn?.close();
    await callWith((response) => json(response, 401, {}), write, { onCall });
    await standIn?.close();
    await callWith((response) => json(response, 400, {}), write, { onCall });
    const durationMs = expect.any(Number);
    const operation = 'create_invoice';
    expect(reports).toEqual([
      { operation, outcome: 'ok', durationMs, statusCode: 200, requestId: 'tid-1' },
      { operation, outcome: 'unauthorised', durationMs, statusCode: 401 },
      { operation, outcome: 'rejected', durationMs, statusCode: 400 },
    ]);
  });

  test('a failing observer does not change the outcome', async () => {
    const onCall = () => {
      throw new Error('disk full');
    };
    expect(await callWith((response) => json(response, 200, {}), write, { onCall })).toMatchObject({
      kind: 'answered',
    });
  });
});
