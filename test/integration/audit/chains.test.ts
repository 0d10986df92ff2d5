import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/postgresql';
import pg from 'pg';
import { audit } from '../../../src/application/audit.js';
import { type AuditReport, type BrokenChain, verifyAuditChains } from '../../../src/application/verify-audit-chains.js';
import { standardWaits } from '../../../src/application/waits.js';
import { ALL_GRANTS } from '../../../src/domain/access/grants.js';
import { ActorKind } from '../../../src/domain/audit/actor.js';
import { randomIds } from '../../../src/domain/ids.js';
import { openOrm } from '../../../src/infrastructure/database/orm.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';

let database: TestDatabase;
let orm: MikroORM;
let client: pg.Client;
const statements: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  orm = await openOrm(database.url, { debug: ['query'], colors: false, logger: (line) => void statements.push(line) });
  client = await connect();
});

afterAll(async () => {
  await client.end();
  await orm.close();
  await database.drop();
});

async function connect(): Promise<pg.Client> {
  const connected = new pg.Client({ connectionString: database.url });
  await connected.connect();
  return connected;
}

const actor = { id: 'key_1', name: 'Jürgen "JJ"\n✓', kind: ActorKind.API_KEY, grants: ALL_GRANTS };

/** Writes these events about one subject in one unit of work; the one named 1 is its creation. */
async function write(subject: string, emails: readonly string[], clock = { now: () => new Date() }): Promise<void> {
  const em = orm.em.fork();
  const context = { em, clock, ids: randomIds, actor, waits: standardWaits };
  await em.transactional((tx) => {
    for (const email of emails) {
      const trace = { requestId: `req_${email}` };
      const action = email === '1' ? 'purchase_order.created' : 'invoice.emailed';
      audit(tx, context, { action, subject, after: { email, ü: '\u0007\\"</>' }, trace });
    }
  });
}

/** The row of a purchase order, of which nothing is told yet. */
async function orderRow(): Promise<string> {
  const [id, conference] = [randomIds.next('po'), randomIds.next('conf')];
  await client.query(
    `insert into conference (id, slug, name, timezone, currency_code, created_at, updated_at)
     values ($1, replace($1, '_', '-'), 'Chains', 'UTC', 'USD', now(), now())`,
    [conference],
  );
  await client.query(
    `insert into purchase_order (id, conference_id, reference, status, organization_name, contact_email, contact_name,
                                 billing_address, notes, buyer_reference, currency_code, total_minor, created_at, updated_at)
     values ($1, $2, $3, 'DRAFT', 'Org', 'a@example.com', '', '', '', '', 'USD', 1, now(), now())`,
    [id, conference, randomIds.nextReference()],
  );
  return id;
}

/** Neither orders nor events are left. */
async function clear(): Promise<void> {
  await tamper('delete from audit_event', []);
  await client.query('delete from purchase_order');
}

/** Five events of an order. */
async function fiveEvents(): Promise<string> {
  const subject = randomIds.next('po');
  await write(subject, ['1', '2']);
  await write(subject, ['3', '4']);
  await write(subject, ['5']);
  return subject;
}

interface Row {
  readonly id: string;
  readonly position: number | null;
  readonly previous_hash: string | null;
  readonly hash: string | null;
  readonly email: string;
}

async function rowsOf(subject: string): Promise<Row[]> {
  const { rows } = await client.query<Row>(
    `select id, position, previous_hash, hash, after ->> 'email' as email from audit_event where subject = $1 order by position`,
    [subject],
  );
  return rows;
}

async function verify(...until: Date[]): Promise<AuditReport & { readonly problems: ReadonlyMap<string, string> }> {
  const problems = new Map<string, string>();
  const onBroken = ({ subject, problem }: BrokenChain) => void problems.set(subject, problem);
  return { ...(await verifyAuditChains(orm.em, { until, onBroken })), problems };
}

/** As a superuser may do who does not want the triggers to see it. */
async function tamper(statement: string, params: unknown[]): Promise<void> {
  await client.query('set session_replication_role = replica');
  try {
    const { rowCount } = await client.query(statement, params);
    expect(rowCount).toBeGreaterThan(0);
  } finally {
    await client.query('set session_replication_role = default');
  }
}

describe('the audit events of a purchase order', () => {
  test('stand in one chain, in the order in which they were written, also those of one statement', async () => {
    statements.length = 0;
    const subject = await fiveEvents();

    const rows = await rowsOf(subject);
    expect(statements.filter((line) => line.includes('insert into "audit_event"'))).toHaveLength(3);
    expect(rows.map(({ position, email }) => [position, email])).toEqual([
      [1, '1'],
      [2, '2'],
      [3, '3'],
      [4, '4'],
      [5, '5'],
    ]);
    expect(rows.map((row) => row.previous_hash)).toEqual([null, ...rows.slice(0, -1).map(({ hash }) => hash)]);
    expect(rows.every(({ hash }) => /^[0-9a-f]{64}$/.test(String(hash)))).toBe(true);
    const { problems } = await verify();
    expect(problems.get(subject)).toBeUndefined();
  });

  test('get their places from the database, whatever the writer says', async () => {
    const subject = await fiveEvents();
    await client.query(
      `insert into audit_event (id, actor_id, actor, actor_kind, action, subject, occurred_at, position, previous_hash, hash)
       values ($1, 'jwt:1', 'somebody', 'USER', 'purchase_order.sent', $2, now(), 9, 'x', 'y')`,
      [randomIds.next('aud'), subject],
    );

    const last = (await rowsOf(subject)).at(-1);
    expect(last).toMatchObject({ position: 6, hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect((await verify()).problems.get(subject)).toBeUndefined();
  });

  test('are written one transaction after the other', async () => {
    const subject = await orderRow();
    await write(subject, ['1']);
    const insert = `insert into audit_event (id, actor_id, actor, actor_kind, action, subject, occurred_at)
                    values ($1, 'jwt:1', 'somebody', 'USER', 'purchase_order.sent', $2, now())`;
    const other = await connect();
    await client.query('begin');
    await client.query(insert, [randomIds.next('aud'), subject]);
    const waiting = other.query(insert, [randomIds.next('aud'), subject]);
    const blocked = `select from pg_stat_activity where wait_event_type = 'Lock' and pid = ${pidOf(other)}`;
    await eventually(
      () => orm.em.fork().execute(blocked),
      ({ length }) => length === 1,
    );
    await client.query('commit');
    await waiting;
    await other.end();

    expect((await rowsOf(subject)).map(({ position }) => position)).toEqual([1, 2, 3]);
    expect((await verify()).problems.get(subject)).toBeUndefined();
  });

  test('are chained alone: what happens to a conference is in no chain', async () => {
    const subject = randomIds.next('conf');
    await write(subject, ['1', '2']);

    expect((await rowsOf(subject)).map(({ position, hash }) => [position, hash])).toEqual([
      [null, null],
      [null, null],
    ]);
  });
});

function pidOf(connected: pg.Client): number {
  return Reflect.get(connected, 'processID');
}

describe('the verification finds', () => {
  test.each<[string, string, string]>([
    [
      'an altered fact',
      `update audit_event set after = '{"email": "x"}' where id = $3`,
      'event 3 ($3) is not as it was written',
    ],
    ['another actor', `update audit_event set actor_id = 'x' where id = $3`, 'event 3 ($3) is not as it was written'],
    ['another name', `update audit_event set actor = 'x' where id = $3`, 'event 3 ($3) is not as it was written'],
    [
      'another kind of actor',
      `update audit_event set actor_kind = 'SYSTEM' where id = $3`,
      'event 3 ($3) is not as it was written',
    ],
    ['another action', `update audit_event set action = 'x' where id = $3`, 'event 3 ($3) is not as it was written'],
    [
      'another request',
      'update audit_event set provider_request_id = null where id = $3',
      'event 3 ($3) is not as it was written',
    ],
    [
      'another time',
      `update audit_event set occurred_at = occurred_at + interval '1 ms' where id = $3`,
      'event 3 ($3) is not as it was written',
    ],
    [
      'another id',
      `update audit_event set id = 'aud_x' || id where id = $3`,
      'event 3 (aud_x$3) is not as it was written',
    ],
    [
      'a fact that was added',
      `update audit_event set before = '{}' where id = $3`,
      'event 3 ($3) is not as it was written',
    ],
    [
      'another hash',
      `update audit_event set hash = repeat('0', 64) where id = $3`,
      'event 3 ($3) is not as it was written',
    ],
    ['a deleted event', 'delete from audit_event where id = $3', 'event 3 is missing'],
    ['a deleted first event', 'delete from audit_event where id = $1', 'event 1 is missing'],
    [
      'an event that was moved to another subject',
      `update audit_event set subject = 'conf_x' || id where id = $3`,
      'event 3 is missing',
    ],
    [
      "two events in each other's place",
      `with taken as (select max(position) as free from audit_event where id in ($2, $3))
       update audit_event set position = case id when $2 then 30 else 20 end from taken where id in ($2, $3)`,
      'event 2 is missing',
    ],
    [
      'an inserted event at the end that does not fit',
      `insert into audit_event (id, actor_id, actor, actor_kind, action, subject, occurred_at, position, previous_hash, hash)
       select 'aud_new' || id, 'jwt:x', 'x', 'USER', 'x', subject, now(), 6, hash, repeat('0', 64) from audit_event where id = $5`,
      'event 6 (aud_new$5) is not as it was written',
    ],
    [
      'an event outside of the chain',
      `insert into audit_event (id, actor_id, actor, actor_kind, action, subject, occurred_at)
       select 'aud_new' || id, 'jwt:x', 'x', 'USER', 'x', subject, now() from audit_event where id = $5`,
      'event aud_new$5 has no place in the chain',
    ],
  ])('%s', async (_what, statement, problem) => {
    const subject = await fiveEvents();
    const untouched = await fiveEvents();
    const ids = (await rowsOf(subject)).map(({ id }) => id);
    const named = (text: string, wrap: (id: string) => string) =>
      text.replace(/\$(\d)/g, (_match, number) => wrap(String(ids[Number(number) - 1])));

    await tamper(
      named(statement, (id) => `'${id}'`),
      [],
    );

    const { problems, broken } = await verify();
    expect(problems.get(subject)).toBe(named(problem, (id) => id));
    expect(problems.has(untouched)).toBe(false);
    expect(broken).toBe(problems.size);
  });

  test('an order whose events are gone', async () => {
    const subject = await orderRow();
    await write(subject, ['1', '2']);
    expect((await verify()).problems.get(subject)).toBeUndefined();
    await tamper('delete from audit_event where subject = $1', [subject]);

    const { problems, broken } = await verify();

    expect(problems.get(subject)).toBe('there is no event of it');
    expect(broken).toBe(problems.size);
  });

  test('a chain that was begun anew without the creation', async () => {
    const subject = await fiveEvents();
    await tamper('delete from audit_event where subject = $1', [subject]);
    await write(subject, ['forged']);

    const [first] = await rowsOf(subject);
    expect((await verify()).problems.get(subject)).toBe(`event 1 (${first?.id}) is not the creation`);
  });

  test('two events that changed places, hashes and all', async () => {
    const subject = await fiveEvents();
    const [, second, third] = await rowsOf(subject);
    const swap = 'update audit_event set position = $2, previous_hash = $3 where id = $1';
    await tamper(swap, [second?.id, 99, third?.previous_hash]);
    await tamper(swap, [third?.id, 2, second?.previous_hash]);
    await tamper(swap, [second?.id, 3, third?.previous_hash]);

    expect((await verify()).problems.get(subject)).toBe(`event 2 (${third?.id}) is not as it was written`);
  });

  test('an event that was altered and given the hash that it must have then', async () => {
    const subject = await fiveEvents();
    const [, second, third] = await rowsOf(subject);
    await tamper('delete from audit_event where id = $1', [second?.id]);
    // The trigger itself makes the forgery: a new event behind the first one, beside the true third one.
    await tamper('update audit_event set subject = $2 where subject = $1 and position > 2', [subject, 'aside']);
    await write(subject, ['forged']);
    await tamper('update audit_event set subject = $1 where subject = $2', [subject, 'aside']);

    expect((await verify()).problems.get(subject)).toBe(
      `event 3 (${third?.id}) was not written behind the one before it`,
    );
  });
});

describe('a checkpoint', () => {
  const until = () => new Date();

  test('stays the same whatever is written after it', async () => {
    const subject = await fiveEvents();
    const time = until();
    const { digests: before } = await verify(time);
    const later = { now: () => new Date(time.getTime() + 60_000) };
    await write(subject, ['6'], later);
    await write(randomIds.next('po'), ['1'], later);

    const { digests } = await verify(time, new Date(time.getTime() + 120_000));

    expect(digests[0]).toBe(before[0]);
    expect(digests[1]).not.toBe(before[0]);
  });

  test.each([
    ['lost its last event', 'subject = $1 and position = 5'],
    ['is gone together with its order', 'subject = $1'],
  ])('tells that a chain %s, which the chains themselves cannot', async (_what, condition) => {
    const subject = await fiveEvents();
    const time = until();
    const before = await verify(time);
    await tamper(`delete from audit_event where ${condition}`, [subject]);

    const after = await verify(time);

    expect(after.problems).toEqual(before.problems);
    expect(after.digests).not.toEqual(before.digests);
  });

  test('tells that the end of a chain was written anew', async () => {
    const subject = await fiveEvents();
    const time = until();
    const before = await verify(time);
    await tamper('delete from audit_event where subject = $1 and position > 3', [subject]);
    await write(subject, ['4', 'forged'], { now: () => time });

    const after = await verify(time);

    expect(after.problems).toEqual(before.problems);
    expect(after.digests).not.toEqual(before.digests);
  });
});

describe('npm run audit:verify', () => {
  const run = async (args: readonly string[] = [], databaseUrl = database.url) => {
    const program = ['--no-warnings', '--import', './test/support/typescript-hooks.mjs', 'src/verify-audit.ts'];
    const env = { PATH: process.env.PATH, DATABASE_URL: databaseUrl };
    const ended = { stdout: '', stderr: '', code: 0 };
    try {
      return { ...ended, ...(await promisify(execFile)(process.execPath, [...program, ...args], { env })) };
    } catch (error) {
      return { ...ended, ...(error as Partial<typeof ended>) };
    }
  };

  test('says how much it verified, gives a checkpoint, and holds the trail against an earlier one', async () => {
    await clear();
    const subject = randomIds.next('po');
    await write(subject, ['1', '2'], { now: () => new Date(Date.now() - 3_600_000) });

    const whole = await run();
    const [, checkpoint] = /^checkpoint (\S+)$/m.exec(whole.stdout) ?? [];
    const again = await run(['--expect', String(checkpoint)]);
    await tamper('delete from audit_event where subject = $1 and position = 2', [subject]);
    const cut = await run(['--expect', String(checkpoint)]);

    expect(whole.stdout).toMatch(/^1 purchase orders with 2 events; 0 broken chains\ncheckpoint \S+Z\/[0-9a-f]{64}\n$/);
    expect(whole).toMatchObject({ stderr: '', code: 0 });
    expect(again).toMatchObject({ stderr: '', code: 0 });
    expect(cut.stdout).toMatch(/^1 purchase orders with 1 events; 0 broken chains\n/);
    expect(cut.stderr).toMatch(/^what was written up to \S+ is not what the checkpoint says\n$/);
    expect(cut.code).toBe(1);
  });

  test('names the first broken link of each chain and ends with 1', async () => {
    await clear();
    const [one, two] = [await fiveEvents(), await fiveEvents()];
    await tamper('delete from audit_event where position in (2, 4)', []);

    const { stderr, stdout, code } = await run();

    expect(stderr.split('\n').toSorted()).toEqual([
      '',
      ...[one, two].toSorted().map((id) => `${id}: event 2 is missing`),
    ]);
    expect(stdout).toMatch(/^2 purchase orders with 6 events; 2 broken chains\n/);
    expect(code).toBe(1);
  });

  test('explains a flag or a database that is wrong in one sentence', async () => {
    const at = (name: string) => Object.assign(new URL(database.url), { pathname: `/${name}` }).href;

    const flag = await run(['--expect', 'yesterday']);
    const nowhere = await run([], at('nothing_here'));
    const empty = await run([], at('template1'));

    expect([flag, nowhere, empty].map(({ code, stdout }) => [code, stdout])).toEqual([
      [1, ''],
      [1, ''],
      [1, ''],
    ]);
    expect([flag, nowhere, empty].map(({ stderr }) => stderr)).toEqual([
      '--expect must be a checkpoint that an earlier run printed: a time, a slash and 64 digits.\n',
      'The database of DATABASE_URL cannot be used: there is no database of that name, so create it or correct the name (3D000).\n',
      'The database does not have the tables of this version: start the server once, then verify.\n',
    ]);
  });
});
