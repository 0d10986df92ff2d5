import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { prepareTestServer, removeTestServer } from '../support/test-server.js';
import type { Finding } from './auditor/evidence.js';
import { tellAll } from './crew.js';
import { measureProfile } from './measure.js';
import { loadProfile, saveProfile } from './profile.js';
import { Random } from './random.js';
import { type CompiledProcess, compileProcess } from './real/compile.js';
import { appendResult, countFindings, isClean, NOTHING, type Result, readResults, type Tier } from './results.js';
import type { Reply } from './runner.js';
import { seedsThatStrike } from './seeds.js';
import { hitsByPoint, printSummary, totalOf, writeSummary } from './summary.js';

// `npm run faults -- --runs 100 --seed 1`: random stories under random faults, and an audit after each.

interface Flags {
  readonly runs: number;
  readonly seed: number;
  readonly tier: Tier | 'both';
  readonly isNaive: boolean;
  readonly file: string | undefined;
  readonly replay: string | undefined;
  readonly sample: number;
  readonly runners: number;
  readonly least: number;
}

class FlagError extends Error {}

function readFlags(): Flags & { readonly measure: boolean; readonly summary: string | undefined } {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
      tier: { type: 'string', default: 'both' },
      naive: { type: 'boolean', default: false },
      resume: { type: 'string' },
      replay: { type: 'string' },
      sample: { type: 'string', default: '20' },
      runners: { type: 'string', default: '3' },
      least: { type: 'string', default: '0' },
      measure: { type: 'boolean', default: false },
      summary: { type: 'string' },
    },
  });
  const { tier } = values;
  if (tier !== 'fast' && tier !== 'real' && tier !== 'both') throw new FlagError('--tier is fast, real or both.');
  if (values.least !== '0' && tier !== 'fast') throw new FlagError('--least goes with --tier fast.');
  return {
    runs: whole('runs', values.runs),
    seed: whole('seed', values.seed),
    tier,
    isNaive: values.naive,
    file: values.resume,
    replay: values.replay,
    sample: whole('sample', values.sample),
    runners: whole('runners', values.runners),
    least: whole('least', values.least),
    measure: values.measure,
    summary: values.summary,
  };
}

function whole(flag: string, value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new FlagError(`--${flag} is a whole number.`);
  return Number(value);
}

type Seeds = Readonly<Record<Tier, readonly number[]>>;

/** Nine of ten stories are told within one process, every tenth with real ones. */
async function seedsOf({ runs, seed, tier, replay, sample, isNaive }: Flags): Promise<Seeds> {
  if (replay !== undefined) {
    const random = new Random(seed);
    const known = (await readResults(replay)).filter((result) => tier === 'both' || result.tier === tier);
    const picked = Array.from({ length: Math.min(sample, known.length) }, () => random.pick(known));
    const of = (wanted: Tier) => picked.filter((result) => result.tier === wanted).map((result) => result.seed);
    return { fast: of('fast'), real: of('real') };
  }
  const seeds = Array.from({ length: runs }, (_, index) => seed + index);
  if (isNaive || tier === 'fast') return { fast: seeds, real: [] };
  if (tier === 'real') return { fast: [], real: seeds };
  const isReal = (_: number, index: number) => index % 10 === 9;
  return { fast: seeds.filter((each, index) => !isReal(each, index)), real: seeds.filter(isReal) };
}

async function run(flags: Flags): Promise<boolean> {
  const { file, isNaive, runners, least } = flags;
  const startedAt = performance.now();
  const earlier = file === undefined ? [] : await readResults(file);
  const results: Result[] = [];
  const known = () => [...earlier, ...results];
  const commit = currentCommit();
  const note = async (tier: Tier, reply: Reply) => {
    const result = toResult(tier, commit, reply);
    results.push(result);
    if (file !== undefined) await appendResult(file, result);
    if (!isClean(result.counts)) printFindings(tier, reply);
    if (results.length % 50 === 0) printProgress(results.length, startedAt);
  };
  const tell = (tier: Tier, seeds: Iterator<number>) =>
    tellAll(tier, seeds, { runners, isNaive, onTold: (reply) => note(tier, reply) });
  if (least > 0) {
    const seeds = seedsThatStrike(flags.seed, { least, profile: await loadProfile(), told: known });
    await tell('fast', seeds.take(flags.runs));
  } else {
    const isTold = new Set(earlier.map(({ tier, seed }) => `${tier} ${seed}`));
    const { fast, real } = await seedsOf(flags);
    const untold = (tier: Tier, seeds: readonly number[]) => seeds.filter((seed) => !isTold.has(`${tier} ${seed}`));
    await tell('fast', untold('fast', fast).values());
    const left = untold('real', real);
    if (left.length > 0) await compileOnce();
    await tell('real', left.values());
  }
  const all = known();
  printSummary(all, performance.now() - startedAt);
  const total = totalOf(all);
  printFailures(all, isNaive);
  const crashPoints = Object.fromEntries(hitsByPoint(all));
  process.stdout.write(`${JSON.stringify({ runs: all.length, seed: flags.seed, ...total, crashPoints })}\n`);
  return isNaive ? total.duplicates > 0 && total.wrongAmounts > 0 : isClean(total);
}

let compiled: CompiledProcess | undefined;

/** The runners learn of it through the environment. */
async function compileOnce(): Promise<void> {
  compiled = await compileProcess();
  process.env.FAULTS_PROGRAM = compiled.program;
}

function toResult(tier: Tier, commit: string, reply: Reply): Result {
  if ('error' in reply) {
    return { tier, seed: reply.seed, commit, counts: { ...NOTHING, stuck: 1 }, recoverySeconds: 0, hits: [] };
  }
  const { seed, findings, hits, recoveryMs } = reply;
  const recoverySeconds = Math.round(recoveryMs / 1000);
  return { tier, seed, commit, counts: countFindings(findings), recoverySeconds, hits };
}

function printFindings(tier: Tier, reply: Reply): void {
  const findings: readonly Finding[] = 'error' in reply ? [{ kind: 'stuck', what: reply.error }] : reply.findings;
  const story = 'error' in reply ? [] : [`    struck at ${reply.hits.join(' ')}`, `    steps ${reply.steps.join(' ')}`];
  const lines = findings.map(({ kind, what }) => `    ${kind}: ${what}`);
  process.stdout.write(`${tier} story ${reply.seed}:\n${[...story, ...lines].join('\n')}\n`);
}

function printProgress(told: number, startedAt: number): void {
  const seconds = (performance.now() - startedAt) / 1000;
  process.stdout.write(`${told} stories, ${(told / seconds).toFixed(1)} a second\n`);
}

function printFailures(results: readonly Result[], isNaive: boolean): void {
  const failed = results.filter(({ counts }) => !isClean(counts));
  for (const { tier, seed } of failed.slice(0, 20)) {
    const naive = isNaive ? ' --naive' : '';
    process.stdout.write(`repeat it: npm run faults -- --runs 1 --tier ${tier} --seed ${seed}${naive}\n`);
  }
}

/** Marked when the code is not what was committed. */
function currentCommit(): string {
  const git = (...words: string[]) => execFileSync('git', words, { encoding: 'utf8' }).trim();
  try {
    const isChanged = git('status', '--porcelain', '--', 'src', 'test') !== '';
    return `${git('rev-parse', '--short=7', 'HEAD')}${isChanged ? '_changed' : ''}`;
  } catch {
    return 'unknown';
  }
}

async function main(): Promise<void> {
  const { measure, summary, ...flags } = readFlags();
  if (summary !== undefined) return writeSummary(summary);
  await prepareTestServer();
  try {
    if (measure) await saveProfile(await measureProfile(150));
    else if (!(await run(flags))) process.exitCode = 1;
  } finally {
    await compiled?.remove();
    await removeTestServer();
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof FlagError ? error.message : String((error as Error).stack)}\n`);
  process.exitCode = 2;
}
