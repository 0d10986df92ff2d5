import { parseArgs } from 'node:util';
import type { EntityManager } from '@mikro-orm/postgresql';
import { verifyAuditChains } from './application/verify-audit-chains.js';
import { ConfigError, loadConfig } from './config.js';
import { DatabaseProblem, databaseProblem } from './infrastructure/database/database-problem.js';
import { openOrm } from './infrastructure/database/orm.js';
import { provideDatabase } from './wiring/database.js';

// `npm run audit:verify`: whether the audit trail is as it was written. Ends with 1 when it is not.
//   npm run audit:verify -- --expect 2026-11-28T12:00:00.000Z/9f86d0…    what an earlier run gave to keep elsewhere

/** Transactions are short: what is older is committed, or never will be. */
const SETTLED_AFTER_MS = 15 * 60_000;

/** What PostgreSQL says of a table or column that it does not know. */
const NOT_THERE = ['42P01', '42703'];

class FlagError extends Error {}

interface Checkpoint {
  readonly until: Date;
  readonly digest: string;
}

async function main(): Promise<void> {
  const expected = readExpected();
  const config = loadConfig();
  const resources = new AsyncDisposableStack();
  try {
    const databaseUrl = await provideDatabase(config, (step) => say(`… ${step}`), resources);
    const orm = await openOrm(databaseUrl);
    resources.defer(() => orm.close());
    await verify(orm.em, expected);
  } finally {
    await resources.disposeAsync();
  }
}

async function verify(em: EntityManager, expected: Checkpoint | undefined): Promise<void> {
  const until = new Date(Date.now() - SETTLED_AFTER_MS);
  const report = await verifyAuditChains(em, {
    until: [until, ...(expected ? [expected.until] : [])],
    onBroken: ({ subject, problem }) => complain(`${subject}: ${problem}`),
  });
  const [digest, found] = report.digests;
  say(`${report.chains} purchase orders with ${report.events} events; ${report.broken} broken chains`);
  if (expected && found !== expected.digest) {
    complain(`what was written up to ${expected.until.toISOString()} is not what the checkpoint says`);
  }
  say(`checkpoint ${until.toISOString()}/${digest}`);
}

function readExpected(): Checkpoint | undefined {
  const text = readFlags().expect;
  if (text === undefined) return undefined;
  const [, time, digest] = /^(.+Z)\/([0-9a-f]{64})$/.exec(text) ?? [];
  const until = new Date(String(time));
  if (digest === undefined || Number.isNaN(until.getTime())) {
    throw new FlagError('--expect must be a checkpoint that an earlier run printed: a time, a slash and 64 digits.');
  }
  return { until, digest };
}

function readFlags() {
  try {
    return parseArgs({ options: { expect: { type: 'string' } } }).values;
  } catch (error) {
    // A misspelt flag; parseArgs words that well.
    throw new FlagError(error instanceof Error ? error.message : String(error));
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function complain(line: string): void {
  process.stderr.write(`${line}\n`);
  process.exitCode = 1;
}

/** What an operator can mend is said in one sentence; anything else is a bug and keeps its stack. */
function explain(error: unknown): string {
  const problem = databaseProblem(error);
  if (!(problem instanceof Error)) return String(problem);
  if ('code' in problem && NOT_THERE.includes(String(problem.code))) {
    return 'The database does not have the tables of this version: start the server once, then verify.';
  }
  const isMendable = [ConfigError, DatabaseProblem, FlagError].some((kind) => problem instanceof kind);
  return isMendable ? problem.message : String(problem.stack);
}

try {
  await main();
} catch (error) {
  complain(explain(error));
}
