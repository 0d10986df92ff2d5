import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { prepareTestServer, removeTestServer } from '../support/test-server.js';
import type { Finding } from './auditor/evidence.js';
import { tellAll } from './crew.js';
import { installGates, skipPauses } from './interception.js';
import { measureProfile } from './measure.js';
import { loadProfiles, saveProfiles } from './profile.js';
import { PROVIDERS, type Provider } from './providers.js';
import { Random } from './random.js';
import { type CompiledProcess, compileProcess } from './real/compile.js';
import { appendResult, countFindings, isClean, NOTHING, type Result, readResults, type Tier } from './results.js';
import type { Order, Reply } from './runner.js';
import { seedsThatStrike } from './seeds.js';
import { hitsByPoint, printSummary, totalOf, writeSummary } from './summary.js';

// `npm run faults -- --runs 100 --seed 1`: random stories under random faults, and an audit after each.

interface Flags {
  readonly runs: number;
  readonly seed: number;
  readonly tier: Tier | 'both';
  readonly provider: Provider | 'all';
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
      provider: { type: 'string', default: 'all' },
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
  const { tier, provider } = values;
  if (tier !== 'fast' && tier !== 'real' && tier !== 'both') throw new FlagError('--tier is fast, real or both.');
  if (provider !== 'all' && !isProvider(provider)) throw new FlagError('--provider is qbo, stripe, bulk or all.');
  if (values.naive && provider !== 'qbo' && provider !== 'all') throw new FlagError('--naive is about QuickBooks.');
  if (values.least !== '0' && tier !== 'fast') throw new FlagError('--least goes with --tier fast.');
  return {
    runs: whole('runs', values.runs),
    seed: whole('seed', values.seed),
    tier,
    provider: values.naive ? 'qbo' : provider,
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

function isProvider(text: string): text is Provider {
  return PROVIDERS.some((provider) => provider === text);
}

type Orders = Readonly<Record<Tier, readonly Order[]>>;

/**
 * Nine of ten stories are told within one process, every tenth with real ones. Of either kind every third story is about
 * Stripe, and every third of many invoices at a time, unless one is asked for.
 */
async function ordersOf(flags: Flags): Promise<Orders> {
  if (flags.replay !== undefined) return ordersAgain(flags, flags.replay);
  const { fast, real } = seedsByTier(flags);
  const withProvider = (seed: number, index: number): Order => ({ provider: providerOf(flags, index), seed });
  return { fast: fast.map(withProvider), real: real.map(withProvider) };
}

function providerOf({ provider }: Flags, index: number): Provider {
  if (provider !== 'all') return provider;
  return PROVIDERS[index % PROVIDERS.length] ?? 'qbo';
}

async function ordersAgain({ tier, provider, sample, seed }: Flags, file: string): Promise<Orders> {
  const random = new Random(seed);
  const isAsked = (result: Result) =>
    (tier === 'both' || result.tier === tier) && (provider === 'all' || result.provider === provider);
  const known = (await readResults(file)).filter(isAsked);
  const picked = Array.from({ length: Math.min(sample, known.length) }, () => random.pick(known));
  return {
    fast: picked.filter((result) => result.tier === 'fast'),
    real: picked.filter((result) => result.tier === 'real'),
  };
}

function seedsByTier({ runs, seed, tier, isNaive }: Flags): Readonly<Record<Tier, readonly number[]>> {
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
  const note = async (tier: Tier, order: Order, reply: Reply) => {
    const result = toResult({ tier, provider: order.provider, commit }, reply);
    results.push(result);
    if (file !== undefined) await appendResult(file, result);
    if (!isClean(result.counts)) printFindings(result, reply);
    if (results.length % 50 === 0) printProgress(results.length, startedAt);
  };
  const tell = (tier: Tier, orders: Iterator<Order>) =>
    tellAll(tier, orders, { runners, isNaive, onTold: (order, reply) => note(tier, order, reply) });
  if (least > 0) {
    await tell('fast', (await ordersThatStrike(flags, known)).take(flags.runs));
  } else {
    const told = new Set(earlier.map(nameOfStory));
    const { fast, real } = await ordersOf(flags);
    const untold = (tier: Tier, orders: readonly Order[]) =>
      orders.filter(({ provider, seed }) => !told.has(nameOfStory({ tier, provider, seed })));
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
  const runsByProvider = Object.fromEntries(
    PROVIDERS.map((each) => [each, all.filter(({ provider }) => provider === each).length]),
  );
  const figures = { runs: all.length, seed: flags.seed, ...total, runsByProvider, crashPoints };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  return isNaive ? total.duplicates > 0 && total.wrongAmounts > 0 : isClean(total);
}

function nameOfStory({ tier, provider, seed }: Pick<Result, 'tier' | 'provider' | 'seed'>): string {
  return `${tier} ${provider} ${seed}`;
}

/** First those of the one kind, then those of the next. */
async function ordersThatStrike(
  { seed, least, provider }: Flags,
  known: () => readonly Result[],
): Promise<Generator<Order>> {
  const profiles = await loadProfiles();
  const asked = PROVIDERS.filter((each) => provider === 'all' || provider === each);
  return (function* () {
    for (const each of asked) {
      const told = () => known().filter((result) => result.provider === each);
      const wanted = { provider: each, least, profile: profiles[each], told };
      for (const found of seedsThatStrike(seed, wanted)) yield { provider: each, seed: found };
    }
  })();
}

let compiled: CompiledProcess | undefined;

/** The runners learn of it through the environment. */
async function compileOnce(): Promise<void> {
  compiled = await compileProcess();
  process.env.FAULTS_PROGRAM = compiled.program;
}

function toResult(told: Pick<Result, 'tier' | 'provider' | 'commit'>, reply: Reply): Result {
  const { seed } = reply;
  if ('error' in reply) return { ...told, seed, counts: { ...NOTHING, stuck: 1 }, recoverySeconds: 0, hits: [] };
  const { findings, hits, recoveryMs } = reply;
  return { ...told, seed, counts: countFindings(findings), recoverySeconds: Math.round(recoveryMs / 1000), hits };
}

function printFindings({ tier, provider }: Result, reply: Reply): void {
  const findings: readonly Finding[] = 'error' in reply ? [{ kind: 'stuck', what: reply.error }] : reply.findings;
  const story = 'error' in reply ? [] : [`    struck at ${reply.hits.join(' ')}`, `    steps ${reply.steps.join(' ')}`];
  const lines = findings.map(({ kind, what }) => `    ${kind}: ${what}`);
  process.stdout.write(`${tier} ${provider} story ${reply.seed}:\n${[...story, ...lines].join('\n')}\n`);
}

function printProgress(told: number, startedAt: number): void {
  const seconds = (performance.now() - startedAt) / 1000;
  process.stdout.write(`${told} stories, ${(told / seconds).toFixed(1)} a second\n`);
}

function printFailures(results: readonly Result[], isNaive: boolean): void {
  const failed = results.filter(({ counts }) => !isClean(counts));
  for (const { tier, provider, seed } of failed.slice(0, 20)) {
    const naive = isNaive ? ' --naive' : '';
    const story = `--tier ${tier} --provider ${provider} --seed ${seed}`;
    process.stdout.write(`repeat it: npm run faults -- --runs 1 ${story}${naive}\n`);
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
    if (measure) await measureAll(flags.provider);
    else if (!(await run(flags))) process.exitCode = 1;
  } finally {
    await compiled?.remove();
    await removeTestServer();
  }
}

async function measureAll(asked: Provider | 'all'): Promise<void> {
  installGates();
  skipPauses();
  for (const provider of PROVIDERS.filter((each) => asked === 'all' || asked === each)) {
    await saveProfiles({ ...(await loadProfiles()), [provider]: await measureProfile(provider, 150) });
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof FlagError ? error.message : String((error as Error).stack)}\n`);
  process.exitCode = 2;
}
