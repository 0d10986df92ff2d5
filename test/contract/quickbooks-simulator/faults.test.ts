import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Bench, type Body, errorOf, FIRST_REALM, invoiceBody, SECOND_REALM } from './support.js';

let bench: Bench;
let customer: Body;
beforeAll(async () => {
  bench = await Bench.start();
});
beforeEach(async () => {
  await bench.control('POST', '/reset', {});
  customer = await bench.customer();
});
afterAll(() => bench.simulator.stop());

const arm = (rule: object) => bench.control('POST', '/faults', rule);
const create = () => bench.post('/invoice?requestid=once', invoiceBody(customer.Id));
const invoiceCount = async () => (await bench.books()).invoices.length;

describe('An injected fault', () => {
  test.each([['reset'], ['truncate'], ['timeout']])(
    '%s after the commit loses the answer but not the invoice, and the request id finds it again',
    async (kind) => {
      await arm({ kind, when: 'after', ms: 50, match: { method: 'POST', path: '/invoice' } });
      await expect(create()).rejects.toThrow();
      expect(await invoiceCount()).toBe(1);
      expect((await create()).body.Invoice.Id).toBe('145');
      expect(await invoiceCount()).toBe(1);
    },
  );

  test.each([['reset'], ['timeout']])('%s before the commit leaves nothing behind', async (kind) => {
    await arm({ kind, ms: 50, match: { path: '/invoice' } });
    await expect(create()).rejects.toThrow();
    expect(await invoiceCount()).toBe(0);
  });

  test.each([
    ['html502', 502, 'text/html', '<html>'],
    ['xml429', 429, 'application/xml', '<Error code="3001">'],
    ['429', 429, 'application/json', 'The request limit was reached.  Try again later'],
    ['401', 401, 'application/json', 'Token expired: '],
    ['empty', 200, 'application/json', ''],
    ['garbage', 200, 'application/json', '{"Invoice"'],
    ['status', 503, 'text/plain', ''],
    ['fault', 500, 'application/json', 'System Failure Error'],
  ])('%s answers %i as %s', async (kind, status, contentType, text) => {
    await arm({ kind, ...(kind === 'status' ? { status } : {}), match: { path: '/companyinfo' } });
    const answer = await fetch(`${bench.simulator.baseUrl}/v3/company/${FIRST_REALM}/companyinfo/${FIRST_REALM}`, {
      headers: { authorization: `Bearer ${bench.tokens.accessToken}`, accept: 'application/json' },
    });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe(contentType);
    expect(answer.headers.get('x-simulator')).toBe('quickbooks');
    expect(await answer.text()).toContain(text);
    expect((await bench.get(`/companyinfo/${FIRST_REALM}`)).status).toBe(200);
  });

  test('can carry any code of the provider', async () => {
    await arm({ kind: 'fault', code: '600', message: 'Duplicate Request ID', detail: 'x' });
    expect(errorOf(await create())).toEqual({ code: '600', Message: 'Duplicate Request ID', Detail: 'x', element: '' });
    expect(await invoiceCount()).toBe(0);
  });

  test('strikes as often as told, after as many calls as told, and where it is told', async () => {
    await arm({
      kind: '429',
      skip: 1,
      times: 2,
      match: { method: 'get', path: '/\\/customer\\/\\d+$/', realmId: FIRST_REALM },
    });
    await arm({ kind: '429', match: { realmId: SECOND_REALM } });
    const statuses = [];
    for (let call = 0; call < 4; call += 1) statuses.push((await bench.get(`/customer/${customer.Id}`)).status);
    expect(statuses).toEqual([200, 429, 429, 200]);
    expect((await bench.control('GET', '/faults')).faults).toMatchObject([
      { kind: '429', match: { realmId: SECOND_REALM } },
    ]);
    await bench.control('DELETE', '/faults');
    expect((await bench.control('GET', '/faults')).faults).toEqual([]);
  });

  test('delays an answer', async () => {
    await arm({ kind: 'latency', ms: 120, when: 'after' });
    const start = performance.now();
    expect((await create()).status).toBe(200);
    expect(performance.now() - start).toBeGreaterThan(110);
  });

  test('reaches the token endpoint, too', async () => {
    await arm({ kind: 'fault', code: 'invalid_grant', match: { path: '/tokens/bearer' } });
    const form = { grant_type: 'refresh_token', refresh_token: bench.tokens.refreshToken };
    expect(await bench.token(form)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect((await bench.token(form)).status).toBe(200);
  });

  test('with a broken pattern is refused when it is armed', async () => {
    await expect(arm({ kind: 'reset', match: { path: '/(/' } })).rejects.toThrow('is not a regular expression');
    expect((await bench.control('GET', '/faults')).faults).toEqual([]);
  });

  test('is noted in the request log', async () => {
    await bench.control('DELETE', '/requests');
    await arm({ kind: 'reset', when: 'after', match: { path: '/invoice' } });
    await expect(create()).rejects.toThrow();
    const { requests } = await bench.control('GET', `/requests?realmId=${FIRST_REALM}&kind=write`);
    expect(requests).toMatchObject([
      { method: 'POST', path: `/v3/company/${FIRST_REALM}/invoice`, requestid: 'once', fault: 'reset', status: null },
    ]);
  });
});

describe('The API', () => {
  test('answers in XML unless JSON is asked for by name, errors included', async () => {
    const info = await bench.get(`/companyinfo/${FIRST_REALM}`, { accept: '*/*' });
    expect(info.headers.get('content-type')).toBe('application/xml;charset=UTF-8');
    expect(info.text).toContain(
      '<CompanyInfo domain="QBO" sparse="false"><CompanyName>Conference Demo Co</CompanyName>',
    );
    const missing = await bench.get('/invoice/999', { accept: 'application/xml' });
    expect([missing.status, missing.headers.get('content-type')]).toEqual([400, 'application/xml']);
    expect(missing.text).toContain('<Fault type="ValidationFault"><Error code="610" element="">');
  });

  test.each([
    ['an id that is no number', '/customer/1.5', '2030'],
    ['an entity it does not model', '/estimate/1', '500'],
    ['a path that leads nowhere', '/customer/1/5', '500'],
    ['a customer that does not exist', '/customer/999', '610'],
  ])('refuses %s', async (_what, path, code) => {
    const refused = await bench.get(path);
    expect([refused.status, errorOf(refused).code]).toEqual([400, code]);
  });

  test('answers a body that is too large at the edge, in HTML', async () => {
    const answer = await bench.post('/invoice', `"${'x'.repeat(11_000_000)}"`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([413, 'text/html; charset=utf-8']);
    expect(answer.headers.get('x-simulator')).toBe('quickbooks');
  });

  test('refuses an operation it does not know, a wrong content type and broken JSON', async () => {
    expect(errorOf(await bench.post('/invoice?operation=revert', {})).code).toBe('500');
    const typed = await bench.post('/invoice', invoiceBody(customer.Id), { 'content-type': 'text/plain' });
    expect(errorOf(typed).code).toBe('500');
    expect(errorOf(await bench.post('/invoice', '{"Line":')).code).toBe('2010');
    expect(await invoiceCount()).toBe(0);
  });
});
