import { describe, expect, test } from '@jest/globals';
import { type Caller, RateLimits } from '../../../src/api/graphql/limits/rate-limits.js';
import { NOBODY } from '../../../src/application/context.js';
import { CredentialRefused } from '../../../src/application/ports/identity.js';
import { ALL_GRANTS } from '../../../src/domain/access/grants.js';
import { ActorKind } from '../../../src/domain/audit/actor.js';

function actor(id: string, address = '192.0.2.1'): Caller {
  return { actor: { kind: ActorKind.API_KEY, id, name: id, grants: ALL_GRANTS }, address };
}

const ANYBODY: Caller = { actor: NOBODY, address: '192.0.2.1' };

const REFUSAL = {
  message: expect.stringMatching(/^You asked for more in a minute than one caller may\. Try again in \d+ s\.$/),
  extensions: { code: 'RATE_LIMITED', http: { status: 429, headers: expect.any(Map) } },
};

describe('what a caller may ask for in a minute', () => {
  test('is refused as soon as it would be more, with the time to wait', async () => {
    const limits = new RateLimits(1_000);
    await limits.spend(actor('ada'), 400);
    await limits.spend(actor('ada'), 600);
    const refusal = await limits.spend(actor('ada'), 1).catch((error: unknown) => error);
    expect(refusal).toMatchObject(REFUSAL);
    const { http } = (refusal as { extensions: { http: { headers: Map<string, string> } } }).extensions;
    expect([...http.headers.keys()]).toEqual(['retry-after']);
    expect(Number(http.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(Number(http.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('is counted by actor wherever it asks from, else by address', async () => {
    const limits = new RateLimits(1_000);
    await limits.spend(actor('ada', '192.0.2.1'), 1_000);
    await limits.spend(actor('bob', '192.0.2.1'), 1_000);
    await limits.spend(ANYBODY, 1_000);
    await limits.spend({ ...ANYBODY, address: '192.0.2.2' }, 1_000);
    await expect(limits.spend(actor('ada', '192.0.2.9'), 1)).rejects.toMatchObject(REFUSAL);
    await expect(limits.spend(ANYBODY, 1)).rejects.toMatchObject(REFUSAL);
  });

  test('includes what was charged for work that is done already, which the next request feels', async () => {
    const limits = new RateLimits(1_000);
    await limits.requireBudget(actor('ada'));
    await limits.charge(actor('ada'), 1_000);
    await limits.requireBudget(actor('ada'));
    await limits.charge(actor('ada'), 1);
    await expect(limits.requireBudget(actor('ada'))).rejects.toMatchObject(REFUSAL);
    await limits.requireBudget(actor('bob'));
  });
});

describe('what can be done later', () => {
  const never = new AbortController().signal;

  test('waits for the next minute once nothing is left, and counts then', async () => {
    const limits = new RateLimits(1_000, 1);
    await limits.chargeInTime(actor('ada'), 5_000, never);
    await expect(limits.requireBudget(actor('ada'))).rejects.toMatchObject(REFUSAL);
    await limits.chargeInTime(actor('ada'), 1_000, never);
    await limits.requireBudget(actor('ada'));
    await expect(limits.spend(actor('ada'), 1)).rejects.toMatchObject(REFUSAL);
  });

  test('is not waited for by who has left, nor charged to them', async () => {
    const limits = new RateLimits(1_000);
    await limits.charge(actor('ada'), 1_000);
    const leaving = new AbortController();
    const charged = limits.chargeInTime(actor('ada'), 1, leaving.signal);
    leaving.abort();
    await charged;
    await limits.requireBudget(actor('ada'));
  });
});

describe('an address that sends wrong keys and tokens', () => {
  const findActor = async (credential: string) => {
    if (credential === 'token') throw new CredentialRefused('This token has ended.');
    return credential === 'right' ? actor('ada').actor : undefined;
  };

  async function withFailures(): Promise<RateLimits> {
    const limits = new RateLimits(1_000);
    const find = limits.countingFailures(findActor, '192.0.2.1');
    for (let count = 0; count < 100; count++) expect(await find(`wrong ${count}`)).toBeUndefined();
    await expect(find('token')).rejects.toThrow(CredentialRefused);
    return limits;
  }

  const TOO_MANY = {
    message: expect.stringMatching(/^Too many requests with a wrong key came from your address\./),
    extensions: { code: 'RATE_LIMITED' },
  };

  test('is refused after the hundredth; others are not', async () => {
    const limits = await withFailures();
    const find = limits.countingFailures(findActor, '192.0.2.1');
    await expect(find('wrong')).rejects.toMatchObject(TOO_MANY);
    await expect(find('token')).rejects.toMatchObject(TOO_MANY);
    expect(await limits.countingFailures(findActor, '192.0.2.2')('wrong')).toBeUndefined();
  });

  test('does not shut out those who share it and have a right one', async () => {
    const find = (await withFailures()).countingFailures(findActor, '192.0.2.1');
    expect(await find('right')).toMatchObject({ id: 'ada' });
  });

  test('makes no more of them be looked up than two at a time, and a hundred behind them', async () => {
    const limits = await withFailures();
    const found = Promise.withResolvers<undefined>();
    let lookedUp = 0;
    const find = limits.countingFailures(async () => {
      lookedUp += 1;
      return found.promise;
    }, '192.0.2.1');
    const guesses = Array.from({ length: 150 }, (_, guess) => find(`guess ${guess}`));
    await Promise.race(guesses.map((guess) => guess.catch(() => undefined)));
    expect(lookedUp).toBe(2);
    found.resolve(undefined);
    const refused = await Promise.allSettled(guesses);
    expect(refused.every(({ status }) => status === 'rejected')).toBe(true);
    expect(lookedUp).toBe(102);
  });

  test('may use right ones as often as it likes', async () => {
    const find = new RateLimits(1_000).countingFailures(findActor, '192.0.2.1');
    for (let count = 0; count < 200; count++) expect(await find('right')).toMatchObject({ id: 'ada' });
  });
});
