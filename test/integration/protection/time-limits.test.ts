import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { EntityManager } from '@mikro-orm/postgresql';
import pg from 'pg';
import { createConference } from '../../../src/application/conferences/create-conference.js';
import type { Actor } from '../../../src/application/context.js';
import type { InvoicingContext } from '../../../src/application/invoicing/invoicing-context.js';
import { ALL_GRANTS } from '../../../src/domain/access/grants.js';
import { ActorKind } from '../../../src/domain/audit/actor.js';
import { systemClock } from '../../../src/domain/clock.js';
import { randomIds } from '../../../src/domain/ids.js';
import { openOrm } from '../../../src/infrastructure/database/orm.js';
import { eventually } from '../../support/eventually.js';
import { startTestGraphQL, type TestGraphQLServer } from '../../support/graphql-server.js';

const ACTOR: Actor = { kind: ActorKind.API_KEY, id: 'key_1', name: 'test', grants: ALL_GRANTS };
const TOO_LATE = { queryMs: 300, mutationMs: 300 };
const NEVER = { queryMs: 60_000, mutationMs: 60_000 };

const TIMED_OUT = {
  message:
    'This took too long and was given up. What a mutation did until then stays, and it may still come to its end: read the object before you send it again.',
  locations: [expect.any(Object)],
  extensions: { code: 'TIMED_OUT', requestId: expect.any(String) },
};

/** What is enough of a context for mutations that call no provider. */
function contextOf(em: EntityManager, actor: Actor): InvoicingContext {
  return { em, actor, clock: systemClock, ids: randomIds } as InvoicingContext;
}

let server: TestGraphQLServer;
let other: pg.Client;
const unexpected: unknown[] = [];

async function start(timeLimits: typeof NEVER, statementTimeoutMs?: number): Promise<string> {
  server = await startTestGraphQL(
    { timeLimits, createUseCaseContext: contextOf, onUnexpectedError: (error) => unexpected.push(error) },
    statementTimeoutMs,
  );
  other = new pg.Client({ connectionString: server.databaseUrl });
  await other.connect();
  const input = { name: 'PyCon', slug: 'pycon', currencyCode: 'USD', timezone: 'UTC' };
  return String((await createConference(contextOf(server.orm.em.fork(), ACTOR), input)).id);
}

async function stop(): Promise<void> {
  await other.end();
  await server.stop();
}

/** Makes whoever needs the conference wait until the lock is released. */
async function lockConferences(mode: 'access exclusive' | 'row exclusive'): Promise<void> {
  await other.query('begin');
  if (mode === 'access exclusive') await other.query('lock table conference in access exclusive mode');
  else await other.query('select 1 from conference for update');
}

function names(): Promise<string[]> {
  return server.orm.em
    .fork()
    .execute<{ name: string }[]>('select name from conference order by name')
    .then((rows) => rows.map(({ name }) => name));
}

/** How many statements are being executed, or wait for a lock. */
async function activeStatements(): Promise<number> {
  const [row] = await server.orm.em.fork().execute<{ count: number }[]>(
    `select count(*)::int as count from pg_stat_activity
     where datname = current_database() and state = 'active' and pid <> pg_backend_pid()`,
  );
  return row?.count ?? -1;
}

describe('an operation that takes longer than its time', () => {
  let conferenceId: string;

  beforeAll(async () => {
    conferenceId = await start(TOO_LATE);
  });

  afterEach(() => other.query('rollback'));
  afterAll(stop);

  const rename = (name: string) => `updateConference(input: { conferenceId: "${conferenceId}", name: "${name}" }) {
    conference { name } userErrors { code } }`;

  test('is given up when it reads, also in the database, of which nothing is written past the log', async () => {
    const written = jest.spyOn(console, 'error').mockReturnValue();
    await lockConferences('access exclusive');
    const { status, data, errors } = await server.client.send('{ conferences { nodes { name } } }');
    expect(status).toBe(200);
    expect(data).toBeNull();
    expect(errors).toEqual([{ ...TIMED_OUT, path: ['conferences'] }]);
    expect(await eventually(activeStatements, (count) => count === 0)).toBe(0);
    expect(await server.orm.em.fork().execute('select 1 as answer')).toEqual([{ answer: 1 }]);
    expect(unexpected).toEqual([]);
    expect(written).not.toHaveBeenCalled();
    written.mockRestore();
  });

  test('comes to its end when it changes something, but begins nothing else', async () => {
    await lockConferences('row exclusive');
    const { data, errors } = await server.client.send(`mutation { a: ${rename('First')} b: ${rename('Second')} }`);
    expect(data).toEqual({ a: null, b: null });
    expect(errors).toEqual([
      { ...TIMED_OUT, path: ['a'] },
      { ...TIMED_OUT, path: ['b'] },
    ]);
    await other.query('rollback');
    expect(await eventually(names, ([name]) => name !== 'PyCon')).toEqual(['First']);
    expect(unexpected).toEqual([]);
  });

  test('and fails after that tells those who run the server', async () => {
    await lockConferences('row exclusive');
    const { errors } = await server.client.send(`mutation { ${rename('Third')} }`);
    expect(errors).toEqual([{ ...TIMED_OUT, path: ['updateConference'] }]);
    await other.query('alter table audit_event rename to audit_event_gone');
    await other.query('commit');
    expect(
      await eventually(
        async () => unexpected,
        (errors) => errors.length > 0,
      ),
    ).toEqual([expect.objectContaining({ message: expect.stringContaining('audit_event') })]);
    await other.query('alter table audit_event_gone rename to audit_event');
    expect(await names()).toEqual(['First']);
  });
});

describe('PostgreSQL itself', () => {
  beforeAll(() => start(NEVER, 300));
  afterEach(() => other.query('rollback'));
  afterAll(stop);

  test('ends a statement that takes too long, and the client learns the same', async () => {
    await lockConferences('access exclusive');
    const { errors } = await server.client.send('{ conferences { nodes { name } } }');
    expect(errors).toEqual([{ ...TIMED_OUT, path: ['conferences'] }]);
    await other.query('rollback');
    expect(await names()).toEqual(['PyCon']);
  });

  test('has the limits of requests on their connections only', async () => {
    const settings = `select current_setting('statement_timeout') as statement,
      current_setting('idle_in_transaction_session_timeout') as idle`;
    expect(await server.orm.em.fork().execute(settings)).toEqual([{ statement: '300ms', idle: '1min' }]);
    const background = await openOrm(server.databaseUrl);
    expect(await background.em.fork().execute(settings)).toEqual([{ statement: '0', idle: '0' }]);
    await background.close();
  });
});
