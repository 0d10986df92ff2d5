import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { CallLimits } from '../../../src/simulators/quickbooks/http/call-limits.js';
import { type Answer, Bench, type Body, FIRST_REALM, invoiceBody, SECOND_REALM } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
beforeEach(async () => {
  await bench.control('POST', '/reset', { tokens: true });
  Object.assign(bench.tokens, await bench.control('POST', '/tokens', { realmId: FIRST_REALM }));
});
afterAll(() => bench.simulator.stop());

const change = (settings: object) => bench.control('PATCH', `/companies/${FIRST_REALM}`, settings);
const age = (advanceSeconds: number) => bench.control('POST', '/clock', { realmId: FIRST_REALM, advanceSeconds });
const faults = async (): Promise<unknown[]> =>
  (await bench.control('GET', `/requests?realmId=${FIRST_REALM}`)).requests.map(({ fault }: Body) => fault);
const THROTTLED = { error: [{ code: '3001', detail: 'The request limit was reached.  Try again later' }] };

describe('The limits', () => {
  /** What each of many calls breaks, all of them `everyMs` apart. */
  const breaches = (calls: number, everyMs: number, isBatch = false): (string | undefined)[] => {
    const limits = new CallLimits();
    return Array.from({ length: calls }, (_, index) => limits.broken('1', { at: index * everyMs, isBatch }));
  };

  test('are ten calls a second', () => {
    expect(breaches(11, 10).indexOf('limit-second')).toBe(10);
    expect(new Set(breaches(40, 100))).toEqual(new Set([undefined]));
  });

  test('are 500 calls a minute', () => {
    expect(breaches(501, 100).indexOf('limit-minute')).toBe(500);
    expect(new Set(breaches(1500, 120))).toEqual(new Set([undefined]));
  });

  test('are 40 batches a minute, which count as calls, too', () => {
    expect(breaches(41, 100, true).indexOf('limit-batch')).toBe(40);
    expect(new Set(breaches(100, 1500, true))).toEqual(new Set([undefined]));
  });

  test('count no call that was refused, and each company by itself', () => {
    const limits = new CallLimits();
    const at = (realmId: string, moment: number) => limits.broken(realmId, { at: moment, isBatch: false });
    for (let call = 0; call < 10; call += 1) at('1', call);
    expect([at('1', 998), at('1', 999), at('2', 999)]).toEqual(['limit-second', 'limit-second', undefined]);
    expect(at('1', 1000)).toBeUndefined();
    limits.forget('1');
    expect(at('1', 1001)).toBeUndefined();
  });
});

describe('A company that enforces its limits', () => {
  test('answers what is too much with 429, and says in the log which limit it was', async () => {
    await change({ enforceLimits: true });
    const refused: Answer[] = [];
    await bench.eventually(async () => {
      const calls = await Promise.all(Array.from({ length: 20 }, () => bench.get('/preferences')));
      refused.push(...calls.filter(({ status }) => status === 429));
      return refused.length > 0;
    });
    expect(refused[0]?.body.fault).toMatchObject(THROTTLED);
    const limited = (await faults()).filter((fault) => fault === 'limit-second' || fault === 'limit-minute');
    expect(limited).toHaveLength(refused.length);
    expect((await (await bench.connect(SECOND_REALM)).get('/preferences')).status).toBe(200);
    await age(60);
    expect((await bench.get('/preferences')).status).toBe(200);
  });

  test('does so only when it is told to', async () => {
    const calls = await Promise.all(Array.from({ length: 30 }, () => bench.get('/preferences')));
    expect(calls.every(({ status }) => status === 200)).toBe(true);
  });
});

describe('A used-up month of reads', () => {
  test('refuses reads, queries and change data in the words of the burst limit, while writes pass', async () => {
    const customer = await bench.customer();
    await change({ monthlyReadsExhausted: true });
    const reads = [
      await bench.get(`/customer/${customer.Id}`),
      await bench.query('select * from Invoice'),
      await bench.post('/query', 'select * from Invoice', { 'content-type': 'application/text' }),
      await bench.get('/cdc?entities=Invoice&changedSince=2026-11-01'),
    ];
    expect(reads.map(({ status }) => status)).toEqual([429, 429, 429, 429]);
    expect(reads[0]?.body.fault).toMatchObject(THROTTLED);
    expect((await bench.post('/invoice', invoiceBody(customer.Id))).status).toBe(200);
    const batch = await bench.post('/batch', {
      BatchItemRequest: [
        { bId: 'q', Query: 'select * from Invoice' },
        { bId: 'w', operation: 'create', Customer: { DisplayName: 'New' } },
      ],
    });
    expect(batch.body.BatchItemResponse).toMatchObject([
      { bId: 'q', Fault: { Error: [{ code: '3001' }] } },
      { bId: 'w', Customer: { DisplayName: 'New' } },
    ]);
    await age(3600);
    expect((await bench.query('select * from Invoice')).status).toBe(429);
    await change({ monthlyReadsExhausted: false });
    expect((await bench.query('select * from Invoice')).status).toBe(200);
  });
});

describe('Chaos', () => {
  const arm = (order: object) => bench.control('POST', '/chaos', { realmId: FIRST_REALM, ms: 5, ...order });
  /** The same calls each time; what happened to them is told by the log. */
  async function play(order: object, calls = 40): Promise<unknown[]> {
    await bench.control('DELETE', `/requests?realmId=${FIRST_REALM}`);
    await arm(order);
    for (let call = 0; call < calls; call += 1) await bench.get('/preferences').catch(() => undefined);
    await bench.control('DELETE', `/chaos?realmId=${FIRST_REALM}`);
    const { requests } = await bench.control('GET', `/requests?realmId=${FIRST_REALM}`);
    return requests.map(({ fault, faultWhen }: Body) => [fault, faultWhen]);
  }

  test('repeats itself with the same seed, and differs with another', async () => {
    const first = await play({ seed: 42, rate: 0.5 });
    const struck = first.filter((each) => JSON.stringify(each) !== '[null,null]');
    expect(struck.length).toBeGreaterThan(5);
    expect(struck.length).toBeLessThan(35);
    expect(await play({ seed: '42', rate: 0.5 })).toEqual(first);
    expect(await play({ seed: 43, rate: 0.5 })).not.toEqual(first);
  });

  test('keeps to its kinds, and to as many faults as it is allowed', async () => {
    const met = await play({ seed: 1, rate: 1, kinds: ['429', 'html502'], maxFaults: 5 }, 8);
    expect(met.slice(5)).toEqual([
      [null, null],
      [null, null],
      [null, null],
    ]);
    const kinds = new Set(met.slice(0, 5).map((each) => (each as [string])[0]));
    expect([...kinds].every((kind) => ['429', 'html502'].includes(kind))).toBe(true);
    expect(met.slice(0, 5)).not.toContainEqual(['429', 'after']);
  });

  test('leaves other companies alone, and tells how far it is', async () => {
    const other = await bench.connect(SECOND_REALM);
    await arm({ seed: 1, rate: 1, kinds: ['429'] });
    expect((await other.get('/preferences')).status).toBe(200);
    expect((await bench.get('/preferences')).status).toBe(429);
    expect((await bench.control('GET', '/chaos')).chaos).toMatchObject([
      { realmId: FIRST_REALM, seed: '1', rate: '1', calls: '1', struck: '1' },
    ]);
    await bench.control('DELETE', `/chaos?realmId=${SECOND_REALM}`);
    expect((await bench.get('/preferences')).status).toBe(429);
    await bench.control('DELETE', '/chaos');
    expect((await bench.get('/preferences')).status).toBe(200);
  });

  test('strikes at the token endpoint without ending the connection', async () => {
    const form = { grant_type: 'refresh_token', refresh_token: bench.tokens.refreshToken };
    await arm({ seed: 7, rate: 1, kinds: ['401', 'fault', '429', 'html502'] });
    expect((await bench.token(form)).status).toBe(502);
    await arm({ seed: 7, rate: 1, kinds: ['401', 'fault'] });
    expect((await bench.token(form)).status).toBe(200);
  });
});

describe('The token endpoint', () => {
  const refresh = (refresh_token: string) => bench.token({ grant_type: 'refresh_token', refresh_token });

  test('can rotate and lose its answer: the value before is still good, until it is replayed too late', async () => {
    await bench.control('POST', '/oauth', {
      realmId: FIRST_REALM,
      rotateEveryRefresh: true,
      previousValidSeconds: 60,
    });
    const before = bench.tokens.refreshToken;
    const match = { path: '/tokens/bearer', realmId: FIRST_REALM };
    await bench.control('POST', '/faults', { kind: 'reset', when: 'after', match });
    await expect(refresh(before)).rejects.toThrow();
    const recovered = (await refresh(before)).body.refresh_token;
    expect(recovered).not.toBe(before);
    await bench.control('POST', '/clock', { advanceSeconds: 60 });
    expect((await refresh(before)).body.error).toBe('invalid_grant');
    expect((await refresh(recovered)).status).toBe(200);
  });

  test('ends the connection of two refreshes at once, of the company that was told so', async () => {
    await bench.control('POST', '/oauth', {
      realmId: FIRST_REALM,
      punishConcurrentRefresh: true,
      concurrentWindowMs: 60_000,
    });
    const other = await bench.connect(SECOND_REALM);
    const twice = (token: string) => Promise.all([refresh(token), refresh(token)]);
    expect((await twice(other.tokens.refreshToken)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await twice(bench.tokens.refreshToken)).map(({ status }) => status).sort()).toEqual([200, 400]);
    expect((await bench.get('/preferences')).status).toBe(401);
    expect((await refresh(bench.tokens.refreshToken)).body.error).toBe('invalid_grant');
  });

  test('expires a token in mid-life', async () => {
    await bench.control('POST', '/expire-tokens', { realmId: FIRST_REALM });
    expect((await bench.get('/preferences')).status).toBe(401);
    const { body } = await refresh(bench.tokens.refreshToken);
    bench.tokens.accessToken = body.access_token;
    expect((await bench.get('/preferences')).status).toBe(200);
  });
});
