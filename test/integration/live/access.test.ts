import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { StreamReport } from '../../../src/api/graphql/stream/live-streams.js';
import { createConference } from '../../../src/application/conferences/create-conference.js';
import type { Actor } from '../../../src/application/context.js';
import { ConferenceRole, type Grants, NO_GRANTS } from '../../../src/domain/access/grants.js';
import { ActorKind } from '../../../src/domain/audit/actor.js';
import { PostgresChangeFeed } from '../../../src/infrastructure/database/change-feed.js';
import { eventually } from '../../support/eventually.js';
import { NEVER_CHECKED, startTestGraphQL, type TestGraphQLServer } from '../../support/graphql-server.js';
import { ACTIVITY, CHANGED, Subscriber } from '../../support/subscriber.js';
import { testWaits } from '../../support/test-waits.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;
let feed: PostgresChangeFeed;
let server: TestGraphQLServer;
let own: string;
let elsewhere: string;
let otherConferenceId: string;
let grants: Record<string, Partial<Grants>>;
const subscribers: Subscriber[] = [];
const ended: StreamReport[] = [];

beforeAll(async () => {
  bench = await startWorkbench();
  const other = { name: 'Other', slug: 'other', currencyCode: 'USD', timezone: 'UTC' };
  otherConferenceId = String((await createConference(bench.process(), other)).id);
  own = await bench.order();
  elsewhere = await bench.order({ conferenceId: otherConferenceId });
  const logger = pino({ level: 'silent' });
  const databaseUrl = String(bench.environment.DATABASE_URL);
  feed = new PostgresChangeFeed({ databaseUrl, logger, onListening: () => undefined });
  const forkEntityManager = () => bench.orm.em.fork();
  server = await startTestGraphQL({
    findActor: async (key) => actorOf(key),
    forkEntityManager,
    live: {
      watching: { feed, forkEntityManager, waits: testWaits },
      limits: { perActor: 10, perProcess: 10 },
      callerCheck: NEVER_CHECKED,
      observer: { onCount: () => undefined, onSent: () => undefined, onEnd: (stream) => void ended.push(stream) },
    },
  });
});

beforeEach(() => {
  grants = {
    viewer: { roles: new Map([[bench.conferenceId, ConferenceRole.VIEWER]]) },
    stranger: { roles: new Map([[otherConferenceId, ConferenceRole.ORGANISER]]) },
    portal: { purchaseOrderId: own },
    administrator: { isAdministrator: true },
    powerless: {},
  };
  ended.length = 0;
});

afterEach(() => {
  for (const subscriber of subscribers.splice(0)) subscriber.leave();
});

afterAll(async () => {
  await server.stop();
  await feed.stop();
  await bench.stop();
});

function actorOf(name: string): Actor | undefined {
  const granted = grants[name];
  return granted && { id: name, name, kind: ActorKind.API_KEY, grants: { ...NO_GRANTS, ...granted } };
}

function subscribe(name: string, document: string, variables: Record<string, unknown>): Subscriber {
  const subscriber = new Subscriber(server.url, name, [document, variables]);
  subscribers.push(subscriber);
  return subscriber;
}

async function codeOf(subscriber: Subscriber): Promise<string> {
  const { data, errors } = await subscriber.nextResult();
  return data ? 'served' : errors[0].extensions.code;
}

describe('who may subscribe', () => {
  test.each([
    ['viewer', 'served', 'NOT_FOUND', 'served', 'NOT_FOUND'],
    ['stranger', 'NOT_FOUND', 'served', 'NOT_FOUND', 'served'],
    ['portal', 'served', 'NOT_FOUND', 'FORBIDDEN', 'FORBIDDEN'],
    ['administrator', 'served', 'served', 'served', 'served'],
    ['powerless', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN'],
  ])('%s: to an order %s, to another %s, to its conference %s, to the other one %s', async (name, ...expected) => {
    const codes = [
      await codeOf(subscribe(name, CHANGED, { id: own })),
      await codeOf(subscribe(name, CHANGED, { id: elsewhere })),
      await codeOf(subscribe(name, ACTIVITY, { conferenceId: bench.conferenceId })),
      await codeOf(subscribe(name, ACTIVITY, { conferenceId: otherConferenceId })),
    ];
    expect(codes).toEqual(expected);
  });

  test('what is not there and what may not be seen are told apart by nothing', async () => {
    const unknown = subscribe('viewer', CHANGED, { id: 'po_unknown' });
    const invisible = subscribe('viewer', CHANGED, { id: elsewhere });
    const [{ errors: first }, { errors: second }] = [await unknown.nextResult(), await invisible.nextResult()];
    const { requestId: _, ...extensions } = first[0].extensions;
    expect(second).toEqual([{ ...first[0], extensions: { ...extensions, requestId: expect.any(String) } }]);
  });
});

describe('every event is for who the caller is by then', () => {
  test('a buyer portal sees nothing internal in it', async () => {
    const subscriber = subscribe('portal', CHANGED, { id: own });
    await subscriber.next();
    await bench.sql("update purchase_order set notes = 'do not trust them' where id = ?", [own]);
    expect((await subscriber.next()).purchaseOrder).toMatchObject({ id: own, notes: null });
  });

  test('a lost role ends the stream before anything more is told', async () => {
    const subscriber = subscribe('viewer', ACTIVITY, { conferenceId: bench.conferenceId });
    await subscriber.next();
    grants.viewer = { roles: new Map([[otherConferenceId, ConferenceRole.VIEWER]]) };
    await bench.sql("update purchase_order set notes = 'a secret' where id = ?", [own]);
    expect(await subscriber.nextResult()).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] });
    expect(await subscriber.nextResult()).toBeUndefined();
    const refused = await eventually(
      async () => ended.filter(({ errorCodes }) => errorCodes.length > 0),
      ({ length }) => length > 0,
    );
    expect(refused).toEqual([
      {
        name: 'anonymous',
        documentHash: expect.stringMatching(/^[0-9a-f]{16}$/),
        actorId: 'viewer',
        sent: 2,
        durationMs: expect.any(Number),
        errorCodes: ['NOT_FOUND'],
      },
    ]);
  });

  test('a credential that ended ends the stream', async () => {
    const subscriber = subscribe('viewer', CHANGED, { id: own });
    await subscriber.next();
    delete grants.viewer;
    await bench.sql("update purchase_order set notes = 'another secret' where id = ?", [own]);
    expect(await subscriber.nextResult()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
    expect(await subscriber.nextResult()).toBeUndefined();
  });
});
