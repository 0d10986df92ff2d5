import { writeFile } from 'node:fs/promises';
import { nameOf, pointsOf } from './points.js';
import { loadProfiles } from './profile.js';
import { PROVIDERS, type Provider } from './providers.js';
import { type Counts, type Result, readResults, sumCounts } from './results.js';

export function totalOf(results: readonly Result[]): Counts {
  return sumCounts(results.map(({ counts }) => counts));
}

/**
 * How often each point was struck; a cut connection counts like a crash there. The same use case takes another way with
 * Stripe, so those points are named apart.
 */
export function hitsByPoint(results: readonly Result[]): Map<string, number> {
  const hits = new Map<string, number>();
  const names = results.flatMap((result) => result.hits.map((hit) => nameOfPoint(result.provider, hit)));
  for (const name of names) hits.set(name, (hits.get(name) ?? 0) + 1);
  return new Map([...hits].toSorted(([left], [right]) => left.localeCompare(right, 'en', { numeric: true })));
}

export function nameOfPoint(provider: Provider, point: string): string {
  const name = point.replace(/\/cut$/, '');
  return provider === 'qbo' ? name : `${provider}: ${name}`;
}

/** One line a use case: how many different points were struck, and how often. */
export function tableOf(hits: ReadonlyMap<string, number>): string[] {
  const rows = Map.groupBy(hits, ([point]) => {
    const [useCase, kind, , side] = point.split('/');
    return `${useCase} | ${kind} | ${side}`;
  });
  return [...rows].map(([row, points]) => {
    const counts = points.map(([, count]) => count);
    return `| ${row} | ${points.length} | ${Math.min(...counts)} | ${sum(counts)} |`;
  });
}

function sum(counts: readonly number[]): number {
  return counts.reduce((left, right) => left + right, 0);
}

const TABLE_HEAD = [
  '| use case | at | when | different points | least hits of one | hits |',
  '| --- | --- | --- | ---: | ---: | ---: |',
];

export function printSummary(results: readonly Result[], tookMs: number): void {
  const { duplicates, losses, wrongAmounts, stuck } = totalOf(results);
  const lines = [
    ...TABLE_HEAD,
    ...tableOf(hitsByPoint(results)),
    `${results.length} runs in ${(tookMs / 1000).toFixed(0)} s`,
    `duplicates ${duplicates}, losses ${losses}, wrong amounts ${wrongAmounts}, stuck ${stuck}`,
    `longest recovery ${longestRecovery(results)}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function longestRecovery(results: readonly Result[]): string {
  const longest = (tier: Result['tier']) =>
    Math.max(0, ...results.filter((result) => result.tier === tier).map(({ recoverySeconds }) => recoverySeconds));
  return `${longest('fast')} s of skipped time (fast), ${longest('real')} s (real)`;
}

/** `docs/faults.md`, made of the results alone: no figure in it is typed by hand. */
export async function writeSummary(file: string): Promise<void> {
  const results = await readResults(file);
  const total = totalOf(results);
  const hits = hitsByPoint(results);
  const profiles = await loadProfiles();
  const coverage = PROVIDERS.map((provider) => {
    const points = pointsOf(profiles[provider]).map((point) =>
      nameOfPoint(provider, nameOf({ ...point, action: 'crash' })),
    );
    return `- ${PROVIDER_NAMES[provider]}: ${coverageOf(points, hits)}`;
  });
  const lines = [
    '# The fault matrix',
    '',
    'Written by `npm run faults -- --summary docs/faults/results.txt`; do not edit it.',
    '',
    '| | fast | real | together |',
    '| --- | ---: | ---: | ---: |',
    ...PROVIDERS.map((each) =>
      row(
        `stories about ${PROVIDER_NAMES[each]}`,
        results,
        (some) => some.filter(({ provider }) => provider === each).length,
      ),
    ),
    row('points struck', results, (some) => sum(some.map((result) => result.hits.length))),
    row('duplicates', results, (some) => totalOf(some).duplicates),
    row('losses', results, (some) => totalOf(some).losses),
    row('wrong amounts', results, (some) => totalOf(some).wrongAmounts),
    row('stuck', results, (some) => totalOf(some).stuck),
    '',
    ...coverage,
    '',
    `Longest recovery: ${longestRecovery(results)}.`,
    `Stories by commit: ${storiesByCommit(results)}.`,
    '',
    'In a fast story the processes are parts of one, a crash abandons one of them for good, and time is skipped. In a real',
    'one they are processes, PostgreSQL a server of their own, and a crash is SIGKILL. Both are told in the same way and',
    'judged by the same auditor, which shares no code with the app. In a story about Stripe the conference is connected to',
    'both providers, so that orders are also invoiced through QuickBooks and switched from one to the other and back.',
    '',
    'These commands tell the stories, each going on where it was interrupted. How far they came says the table above: 10,000 fast',
    'and 500 real ones are the aim of each kind. With `--least 10` only stories are told that aim at points struck fewer than ten times:',
    '',
    '```sh',
    ...PROVIDERS.flatMap((provider) =>
      RUNS[provider].map((run) => `npm run faults -- --provider ${provider} ${run} --resume docs/faults/results.txt`),
    ),
    '```',
    '',
    'Any of them is told again with its seed (`--runs 1 --provider qbo --tier fast --seed 100000`), at random with',
    '`--replay docs/faults/results.txt --sample 20`. Without `--provider` one story in three each is about QuickBooks, Stripe and bulks of invoices.',
    '',
    'A point is the n-th SQL statement or HTTP call of a use case, and whether the process died before it, after it, or',
    'while the request was on its way. Those of stories about Stripe and bulks are named apart.',
    '',
    ...TABLE_HEAD,
    ...tableOf(hits),
    '',
  ];
  await writeFile('docs/faults.md', lines.join('\n'));
  process.stdout.write(`docs/faults.md: ${results.length} stories, ${JSON.stringify(total)}\n`);
}

const THREE_RUNS = [
  '--runs 10000 --tier fast --seed 100000',
  '--runs 500 --tier real --seed 400000',
  '--runs 5000 --tier fast --seed 600000 --least 10',
];

const RUNS: Readonly<Record<Provider, readonly string[]>> = {
  qbo: THREE_RUNS,
  stripe: THREE_RUNS,
  bulk: ['--runs 10000 --tier fast --seed 400000'],
};

const PROVIDER_NAMES: Readonly<Record<Provider, string>> = {
  qbo: 'QuickBooks',
  stripe: 'Stripe',
  bulk: 'many invoices at a time',
};

function coverageOf(points: readonly string[], hits: ReadonlyMap<string, number>): string {
  const struck = (times: number) => points.filter((point) => (hits.get(point) ?? 0) >= times).length;
  const least = Math.min(...points.map((point) => hits.get(point) ?? 0));
  return `of ${points.length} points ${struck(1)} were struck, ${struck(10)} of them at least 10 times, each at least ${least} times.`;
}

function storiesByCommit(results: readonly Result[]): string {
  const byCommit = Map.groupBy(results, ({ commit }) => commit);
  return [...byCommit].map(([commit, told]) => `${commit} ${told.length}`).join(', ');
}

function row(name: string, results: readonly Result[], figure: (some: readonly Result[]) => number): string {
  const of = (tier: Result['tier']) => figure(results.filter((result) => result.tier === tier));
  return `| ${name} | ${of('fast')} | ${of('real')} | ${figure(results)} |`;
}
