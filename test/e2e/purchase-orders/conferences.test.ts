import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Data } from '../../support/graphql-client.js';
import { startTestApp, type TestApp } from '../../support/test-app.js';
import { auditTrail, countOf, createConference, everything } from './support.js';

let server: TestApp;

beforeAll(async () => {
  server = await startTestApp();
});

afterAll(() => server.stop());

const CONFERENCE = 'id slug name currencyCode timezone startDate endDate qboConnection { realmId }';

const create = async (fields: Record<string, unknown>): Promise<Data> =>
  server.graphql.mutate(
    'createConference',
    { name: 'PyCon', slug: 'pycon', currencyCode: 'USD', ...fields },
    `conference { ${CONFERENCE} }`,
  );

const update = async (conferenceId: string, fields: Record<string, unknown>): Promise<Data> =>
  server.graphql.mutate('updateConference', { conferenceId, ...fields }, `conference { ${CONFERENCE} }`);

/** What is refused, as `path: code`; fails when anything was changed. */
async function refusals(attempt: () => Promise<Data>): Promise<string[]> {
  const before = await everything(server);
  const { conference, userErrors } = await attempt();
  expect(conference).toBeNull();
  expect(await everything(server)).toEqual(before);
  return userErrors.map(({ path, code }: Data) => `${path.join('.')}: ${code}`);
}

describe('creating a conference', () => {
  test('needs a name, a slug and a currency; it is in UTC and connected to nothing', async () => {
    const { conference, userErrors } = await create({ name: ' PyCon 2027 ', slug: 'pycon-2027' });
    expect(userErrors).toEqual([]);
    expect(conference).toEqual({
      id: expect.stringMatching(/^conf_[0-9a-f]{32}$/),
      slug: 'pycon-2027',
      name: 'PyCon 2027',
      currencyCode: 'USD',
      timezone: 'UTC',
      startDate: null,
      endDate: null,
      qboConnection: null,
    });
    expect(await auditTrail(server, conference.id)).toEqual([
      {
        actor: 'bootstrap',
        action: 'conference.created',
        before: null,
        after: {
          name: 'PyCon 2027',
          slug: 'pycon-2027',
          currencyCode: 'USD',
          timezone: 'UTC',
          startDate: null,
          endDate: null,
          letterhead: '',
        },
      },
    ]);
  });

  test('takes days, a time zone and another currency', async () => {
    const fields = {
      slug: 'europython',
      currencyCode: 'EUR',
      timezone: 'Europe/Prague',
      startDate: '2027-07-10',
      endDate: '2027-07-10',
    };
    expect((await create(fields)).conference).toMatchObject(fields);
  });

  test('W-C23: names every offending field at once', async () => {
    const fields = {
      name: '',
      slug: 'Py Con',
      timezone: 'Mars/Olympus',
      startDate: '2027-07-10',
      endDate: '2027-07-09',
    };
    expect((await refusals(() => create(fields))).sort()).toEqual([
      'endDate: INVALID',
      'name: INVALID',
      'slug: INVALID',
      'timezone: INVALID',
    ]);
  });

  test.each(['', 'A', 'a b', '-a', 'a-', 'a--b', 'a_b', 'ä', 'a/b', 'x'.repeat(201), 'a\u0000'])(
    'refuses the slug %j',
    async (slug) => {
      expect(new Set(await refusals(() => create({ slug })))).toEqual(new Set(['slug: INVALID']));
    },
  );

  test.each(['+01:00', 'Berlin', ''])('refuses the time zone %j', async (timezone) => {
    expect(await refusals(() => create({ slug: 'time-zone', timezone }))).toEqual(['timezone: INVALID']);
  });

  test('refuses a slug that is taken', async () => {
    await create({ slug: 'taken' });
    expect(await refusals(() => create({ slug: 'taken' }))).toEqual(['slug: SLUG_TAKEN']);
    expect(await refusals(() => create({ slug: 'taken', idempotencyKey: 'conference-taken' }))).toEqual([
      'slug: SLUG_TAKEN',
    ]);
  });

  test('five times at once with one slug makes one and refuses the others', async () => {
    const before = await countOf(server, 'conference');
    const payloads = await Promise.all(Array.from({ length: 5 }, () => create({ slug: 'contest' })));
    expect(payloads.flatMap(({ userErrors }) => userErrors.map(({ code }: Data) => code))).toEqual(
      Array.from({ length: 4 }, () => 'SLUG_TAKEN'),
    );
    expect(await countOf(server, 'conference')).toBe(before + 1);
  });

  test('twice with the same idempotency key makes one', async () => {
    const fields = { slug: 'once', idempotencyKey: 'conference-once' };
    const first = await create(fields);
    const before = await everything(server);
    expect(await create(fields)).toEqual(first);
    expect(await everything(server)).toEqual(before);
    expect(await refusals(() => create({ ...fields, name: 'Other' }))).toEqual([
      'idempotencyKey: IDEMPOTENCY_KEY_REUSED',
    ]);
  });

  test('refuses an unknown currency before anything is looked at', async () => {
    const document =
      'mutation ($input: CreateConferenceInput!) { createConference(input: $input) { userErrors { code } } }';
    const input = { name: 'PyCon', slug: 'currency', currencyCode: 'XXX' };
    const { errors } = await server.graphql.send(document, { input });
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
  });
});

describe('changing a conference', () => {
  test('changes what is given, leaves the rest, and leaves a trace of both', async () => {
    const { id, slug } = await createConference(server, {
      name: 'Former name',
      timezone: 'Europe/Berlin',
      startDate: '2027-07-10',
      endDate: '2027-07-12',
    });
    const { conference, userErrors } = await update(id, { name: 'Renamed', endDate: '2027-07-13' });
    expect(userErrors).toEqual([]);
    expect(conference).toMatchObject({
      slug,
      name: 'Renamed',
      timezone: 'Europe/Berlin',
      startDate: '2027-07-10',
      endDate: '2027-07-13',
      currencyCode: 'USD',
    });
    expect((await auditTrail(server, id)).at(-1)).toEqual({
      actor: 'bootstrap',
      action: 'conference.updated',
      before: { name: 'Former name', endDate: '2027-07-12' },
      after: { name: 'Renamed', endDate: '2027-07-13' },
    });
  });

  test('removes a day with null and keeps it when it is left out', async () => {
    const { id } = await createConference(server, { startDate: '2027-07-10', endDate: '2027-07-12' });
    expect((await update(id, { startDate: null })).conference).toMatchObject({
      startDate: null,
      endDate: '2027-07-12',
    });
    const before = await everything(server);
    expect((await update(id, {})).conference).toMatchObject({ startDate: null, endDate: '2027-07-12' });
    expect(await everything(server)).toEqual(before);
  });

  test('refuses null for what a conference must have', async () => {
    const { id } = await createConference(server);
    const nulls = { name: null, slug: null, currencyCode: null, timezone: null };
    expect(await refusals(() => update(id, nulls))).toEqual([
      'name: INVALID',
      'slug: INVALID',
      'currencyCode: INVALID',
      'timezone: INVALID',
    ]);
    const messages = (await update(id, nulls)).userErrors.map(({ message }: Data) => message);
    expect(messages.filter((message: string) => /null|string|expected/i.test(message))).toEqual([]);
  });

  test('refuses an end before the start, whichever of them was given', async () => {
    const { id } = await createConference(server, { startDate: '2027-07-10', endDate: '2027-07-12' });
    expect(await refusals(() => update(id, { endDate: '2027-07-09' }))).toEqual(['endDate: INVALID']);
    expect(await refusals(() => update(id, { startDate: '2027-07-13' }))).toEqual(['endDate: INVALID']);
    expect((await update(id, { startDate: '2027-07-13', endDate: '2027-07-13' })).userErrors).toEqual([]);
  });

  test('refuses the slug of another one, but not its own', async () => {
    const other = await createConference(server);
    const { id, slug } = await createConference(server);
    expect(await refusals(() => update(id, { slug: other.slug }))).toEqual(['slug: SLUG_TAKEN']);
    expect((await update(id, { slug })).conference.slug).toBe(slug);
    expect((await update(id, { slug: `${slug}-renamed` })).conference.slug).toBe(`${slug}-renamed`);
  });

  test('refuses an unknown one', async () => {
    expect(await refusals(() => update('conf_unknown', { name: 'x' }))).toEqual(['conferenceId: NOT_FOUND']);
  });
});

describe('looking a conference up', () => {
  test('by id and by slug finds the same one, and nothing for unknown ones', async () => {
    const { id, slug } = await createConference(server);
    const data = await server.graphql.query(
      `{ byId: conference(id: "${id}") { id slug } bySlug: conference(slug: "${slug}") { id slug }
         noId: conference(id: "conf_unknown") { id } noSlug: conference(slug: "unknown") { id } }`,
    );
    expect(data).toEqual({ byId: { id, slug }, bySlug: { id, slug }, noId: null, noSlug: null });
  });

  test('shows its QuickBooks company without anything secret', async () => {
    const { conference } = await server.graphql.query(
      `{ conference(id: "${server.conferenceId}") { qboConnection {
         realmId environment companyName status accessTokenExpiresAt refreshTokenExpiresAt serviceItemId } } }`,
    );
    expect(conference.qboConnection).toMatchObject({
      realmId: server.quickbooks.realmId,
      environment: 'SANDBOX',
      status: 'CONNECTED',
    });
  });
});
