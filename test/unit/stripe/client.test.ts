import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import nock from 'nock';
import Stripe from 'stripe';
import { Deadline } from '../../../src/application/deadline.js';
import { requestScope } from '../../../src/application/request-scope.js';
import { standardWaits } from '../../../src/application/waits.js';
import { API_VERSION } from '../../../src/infrastructure/stripe/client.js';
import { StripeGateway } from '../../../src/infrastructure/stripe/gateway.js';
import { interceptRequests } from '../quickbooks/intercept.js';
import { type StandIn, startStandIn } from '../quickbooks/stand-in.js';
import {
  type Answer,
  gatewayAt,
  gatewayWith,
  hangUp,
  inTurn,
  invoiceDocument,
  list,
  ok,
  refuse,
  SECRET_KEY,
} from './stand-in-gateway.js';

interceptRequests();

const never: Answer = () => undefined;

test('W-S10: the version of the API that is asked for is the one that the SDK’s types describe', () => {
  expect(API_VERSION).toBe(Stripe.API_VERSION);
});

describe('what is sent', () => {
  test('goes to Stripe itself, with key, version, our name and no telemetry, when no other server is configured', async () => {
    const gateway = new StripeGateway({
      keys: { secretKeyOf: async () => SECRET_KEY, refuse: async () => undefined },
      clock: { now: () => new Date() },
      waits: standardWaits,
    });
    const scope = nock('https://api.stripe.com', {
      reqheaders: {
        authorization: `Bearer ${SECRET_KEY}`,
        'stripe-version': API_VERSION,
        'user-agent': /conference-invoicing/,
      },
      badheaders: ['x-stripe-client-telemetry'],
    })
      .post('/v1/invoices/in_1/send')
      .twice()
      .reply(200, invoiceDocument() as nock.Body);
    expect(await gateway.sendInvoice('con_1', 'in_1', 'op_1')).toMatchObject({ ok: true });
    // The second one would tell how long the first one took.
    expect(await gateway.sendInvoice('con_1', 'in_1', 'op_1')).toMatchObject({ ok: true });
    expect(scope.isDone()).toBe(true);
  });

  test('a write bears its idempotency key; a read and a deletion bear none', async () => {
    const { gateway, requests } = await gatewayWith((request, response) =>
      request.method === 'DELETE'
        ? ok({ id: 'in_1', deleted: true })(request, response)
        : ok(request.url.includes('invoice_payments') ? list() : invoiceDocument())(request, response),
    );
    await gateway.voidInvoice('con_1', 'in_1', 'op_1');
    await gateway.readInvoice('con_1', 'in_1');
    await gateway.deleteDraft('con_1', 'in_1');
    expect(requests.map(({ method, url, headers }) => [method, url.split('?')[0], headers['idempotency-key']])).toEqual(
      [
        ['POST', '/v1/invoices/in_1/void', 'op_1'],
        ['GET', '/v1/invoices/in_1', undefined],
        ['GET', '/v1/invoice_payments', undefined],
        ['DELETE', '/v1/invoices/in_1', undefined],
      ],
    );
  });

  test('nothing without a usable key', async () => {
    const { gateway, requests } = await gatewayWith(never);
    expect(await gateway.readInvoice('con_2', 'in_1')).toMatchObject({ failure: { kind: 'reconnect_required' } });
    expect(requests).toEqual([]);
  });

  test('a redirect is not followed: it could send the key to another host', async () => {
    const redirect: Answer = (_request, response) => void response.writeHead(307, { location: '/elsewhere' }).end('{}');
    const { gateway, requests } = await gatewayWith(redirect);
    expect(await gateway.sendInvoice('con_1', 'in_1', 'op_1')).toMatchObject({ failure: { kind: 'unknown' } });
    expect(requests).toHaveLength(1);
  });
});

describe('the client of a key', () => {
  const servers: StandIn[] = [];

  afterEach(async () => {
    await servers.pop()?.close();
  });

  /** Of connections with a key of their own each; a client is made when its address is asked for. */
  async function clientsMade(answer: Answer) {
    const made: string[] = [];
    const standIn = await startStandIn(answer);
    servers.push(standIn);
    const { gateway } = gatewayAt(standIn.url, {
      keys: { secretKeyOf: async (id) => `sk_test_${id}`, refuse: async () => undefined },
      apiBaseUrlOf: (key) => {
        made.push(key);
        return standIn.url;
      },
    });
    return { gateway, made };
  }

  test('is made once', async () => {
    const { gateway, made } = await clientsMade(ok(list()));
    for (const id of ['a', 'b', 'a']) await gateway.findCustomers(id, 'ap@acme.example');
    expect(made).toEqual(['sk_test_a', 'sk_test_b']);
  });

  test('is not kept of one that was only tried', async () => {
    const { gateway, made } = await clientsMade(ok({ id: 'acct_1' }));
    for (const _time of [1, 2]) expect(await gateway.proveKey('sk_test_tried')).toMatchObject({ ok: true });
    expect(made).toEqual(['sk_test_tried', 'sk_test_tried']);
  });

  test('is not kept of one that Stripe refuses', async () => {
    const { gateway, made } = await clientsMade(refuse(401, { type: 'invalid_request_error', message: 'Expired.' }));
    for (const id of ['a', 'a']) await gateway.findCustomers(id, 'ap@acme.example');
    expect(made).toEqual(['sk_test_a', 'sk_test_a']);
  });

  test('is given up when a hundred others were used since', async () => {
    const { gateway, made } = await clientsMade(ok(list()));
    const use = (id: number) => gateway.findCustomers(String(id), 'ap@acme.example');
    for (let id = 1; id <= 100; id++) await use(id);
    await use(1);
    await use(101);
    expect(made).toHaveLength(101);
    await use(1);
    expect(made).toHaveLength(101);
    await use(2);
    expect(made).toHaveLength(102);
  });
});

describe('repetitions', () => {
  const twice = { maxRepetitions: 1 };

  test('a lost answer is asked for again under the same key', async () => {
    const { gateway, requests } = await gatewayWith(inTurn(hangUp, ok(invoiceDocument())), twice);
    expect(await gateway.sendInvoice('con_1', 'in_1', 'op_1')).toMatchObject({ ok: true });
    expect(requests.map(({ headers }) => headers['idempotency-key'])).toEqual(['op_1', 'op_1']);
  });

  test.each([
    ['a refused key', refuse(401, { type: 'invalid_request_error', message: 'Invalid API Key provided.' })],
    ['a missing permission', refuse(403, { type: 'invalid_request_error', message: 'No permission.' })],
    ['too many requests', refuse(429, { type: 'invalid_request_error', code: 'rate_limit', message: 'Slower.' })],
  ])('after a lost first sending of a write %s does not say what became of it', async (_what, second) => {
    const { gateway, requests } = await gatewayWith(inTurn(hangUp, second), twice);
    expect(await gateway.sendInvoice('con_1', 'in_1', 'op_1')).toMatchObject({ failure: { kind: 'unknown' } });
    expect(requests).toHaveLength(2);
  });

  test('nor does a server error before a refused connection', async () => {
    const { gateway } = await gatewayWith(
      inTurn(refuse(500, { type: 'api_error', message: 'Sorry.' }), refuse(429, { message: 'Slower.', type: 'x' })),
      twice,
    );
    expect(await gateway.sendInvoice('con_1', 'in_1', 'op_1')).toMatchObject({ failure: { kind: 'unknown' } });
  });

  test('a refusal of what was sent stands: the first sending would have met the same', async () => {
    const second = refuse(400, { type: 'invalid_request_error', message: 'Missing email.' });
    const { gateway } = await gatewayWith(inTurn(hangUp, second), twice);
    expect(await gateway.sendInvoice('con_1', 'in_1', 'op_1')).toMatchObject({
      failure: { kind: 'rejected', reason: 'validation' },
    });
  });

  test('of a deletion: that it is gone already is no surprise', async () => {
    const second = refuse(404, { type: 'invalid_request_error', code: 'resource_missing', param: 'invoice' });
    const { gateway } = await gatewayWith(inTurn(hangUp, second), twice);
    expect(await gateway.deleteDraft('con_1', 'in_1')).toMatchObject({ failure: { reason: 'not_found' } });
  });

  test('none when they are off, although the SDK would repeat a lost connection even then', async () => {
    const { gateway, requests } = await gatewayWith(hangUp);
    expect(await gateway.sendInvoice('con_1', 'in_1', 'op_1')).toMatchObject({ failure: { kind: 'unknown' } });
    expect(requests).toHaveLength(1);
  });
});

describe('time', () => {
  const short = { callTimeoutMs: 60 };

  test('a write that takes too long may have been carried out', async () => {
    const { gateway } = await gatewayWith(never, { waits: short });
    expect(await gateway.sendInvoice('con_1', 'in_1', 'op_1')).toEqual({
      ok: false,
      failure: { kind: 'unknown', message: 'Stripe did not answer (it took too long).', trace: {} },
    });
  });

  test('an answer that trickles in is given up, too', async () => {
    const trickle: Answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const drops = setInterval(() => response.write(' '), 10);
      response.on('close', () => clearInterval(drops));
    };
    const { gateway } = await gatewayWith(trickle, { waits: short });
    expect(await gateway.sendInvoice('con_1', 'in_1', 'op_1')).toMatchObject({ failure: { kind: 'unknown' } });
  });

  test('a read is given up at the caller’s deadline', async () => {
    const { gateway } = await gatewayWith(never, { maxRepetitions: 2 });
    const startedAt = performance.now();
    const read = await requestScope.run({ requestId: 'req', deadline: Deadline.after(60) }, () =>
      gateway.readInvoice('con_1', 'in_1'),
    );
    expect(read).toMatchObject({
      failure: {
        kind: 'unavailable',
        message: 'The time for this request was over before Stripe could answer.',
      },
    });
    expect(performance.now() - startedAt).toBeLessThan(400);
  });

  test('a write that was begun is waited for past the deadline', async () => {
    const slow: Answer = (request, response) => {
      setTimeout(() => ok(invoiceDocument())(request, response), 150);
    };
    const { gateway } = await gatewayWith(slow);
    const sent = await requestScope.run({ requestId: 'req', deadline: Deadline.after(50) }, () =>
      gateway.sendInvoice('con_1', 'in_1', 'op_1'),
    );
    expect(sent).toMatchObject({ ok: true });
  });

  test('no write is begun after the deadline', async () => {
    const { gateway, requests } = await gatewayWith(ok(invoiceDocument()));
    const deadline = Deadline.after(0);
    const sent = await requestScope.run({ requestId: 'req', deadline }, () =>
      gateway.sendInvoice('con_1', 'in_1', 'op_1'),
    );
    expect(sent).toMatchObject({ failure: { kind: 'unavailable' } });
    expect(requests).toEqual([]);
  });

  test('nor repeated, which leaves its first sending open', async () => {
    const { gateway, requests } = await gatewayWith(hangUp, { maxRepetitions: 2 });
    const sent = await requestScope.run({ requestId: 'req', deadline: Deadline.after(100) }, () =>
      gateway.sendInvoice('con_1', 'in_1', 'op_1'),
    );
    expect(sent).toMatchObject({ failure: { kind: 'unknown' } });
    expect(requests).toHaveLength(1);
  });

  test('whatever a session begins is over before others take its operation over', () => {
    const { backgroundDeadlineMs, callTimeoutMs, operationLeaseMs } = standardWaits;
    expect(backgroundDeadlineMs + callTimeoutMs).toBeLessThan(operationLeaseMs);
  });

  test('an answer is as of its own time less the time it took', async () => {
    const date = 'Mon, 02 Nov 2026 10:00:00 GMT';
    const { gateway } = await gatewayWith(ok(list(), { date }));
    const read = await gateway.findEvents('con_1', new Date(0));
    const asOf = read.ok ? read.asOf?.getTime() : undefined;
    expect(asOf).toBeLessThan(Date.parse(date));
    expect(asOf).toBeGreaterThan(Date.parse(date) - 30_000);
  });
});

describe('what is reported of calls', () => {
  test('operation, outcome, status and Stripe’s request id', async () => {
    const { gateway, reports } = await gatewayWith(
      inTurn(ok(invoiceDocument()), refuse(400, { type: 'invalid_request_error', message: 'No.' }), hangUp),
    );
    for (const key of ['op_1', 'op_2', 'op_3']) await gateway.sendInvoice('con_1', 'in_1', key);
    const durationMs = expect.any(Number);
    expect(reports).toEqual([
      { operation: 'send_invoice', outcome: 'ok', durationMs, statusCode: 200, requestId: 'req_ok' },
      { operation: 'send_invoice', outcome: 'rejected', durationMs, statusCode: 400, requestId: 'req_no' },
      { operation: 'send_invoice', outcome: 'unknown', durationMs },
    ]);
  });

  test('an observer that fails changes nothing', async () => {
    const onCall = () => {
      throw new Error('disk full');
    };
    const { gateway } = await gatewayWith(ok(invoiceDocument()), { onCall });
    expect(await gateway.sendInvoice('con_1', 'in_1', 'op_1')).toMatchObject({ ok: true });
  });
});

describe('the secret key', () => {
  const quoting = (status: number) =>
    refuse(status, {
      type: 'invalid_request_error',
      message: `Invalid API Key provided: ${SECRET_KEY}; sk_test_*****y0Key, rk_live_abcDEF123 and pi_1_secret_Ab12`,
    });

  test.each([
    ['a refusal that quotes it', quoting(401)],
    ['a missing permission', quoting(403)],
    ['a validation error', quoting(400)],
    ['a server error', quoting(500)],
    ['throttling', quoting(429)],
    ['a lost connection', hangUp],
    ['HTML', ((_request, response) => void response.end(`<h1>${SECRET_KEY}</h1>`)) satisfies Answer],
  ])('is in nothing that comes out: %s', async (_what, answer) => {
    const { gateway, reports } = await gatewayWith(answer);
    const results = [
      await gateway.readInvoice('con_1', 'in_1'),
      await gateway.sendInvoice('con_1', 'in_1', 'op_1'),
      await gateway.proveKey(SECRET_KEY),
    ];
    const out = inspect([results, reports, gateway], { depth: 20, showHidden: true });
    for (const secret of [SECRET_KEY, 'y0Key', 'rk_live', '_secret_']) expect(out).not.toContain(secret);
  });

  test('that no HTTP header can hold is refused without being shown', async () => {
    const { gateway, reports } = await gatewayWith(never, {
      keys: { secretKeyOf: async () => `${SECRET_KEY}\n€`, refuse: async () => undefined },
    });
    const read = await gateway.sendInvoice('con_1', 'in_1', 'op_1');
    expect(read).toMatchObject({ failure: { kind: 'unavailable' } });
    expect(inspect([read, reports], { depth: 20 })).not.toContain(SECRET_KEY);
  });
});

test('a server that is not there was certainly not asked', async () => {
  const gone = await startStandIn(never);
  await gone.close();
  const { gateway } = gatewayAt(gone.url, { maxRepetitions: 1 });
  expect(await gateway.sendInvoice('con_1', 'in_1', 'op_1')).toEqual({
    ok: false,
    failure: { kind: 'unavailable', message: 'Stripe could not be reached (ECONNREFUSED).', trace: {} },
  });
});
