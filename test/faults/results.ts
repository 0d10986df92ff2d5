import { appendFile, readFile } from 'node:fs/promises';
import type { FindingKind } from './auditor/evidence.js';
import type { Provider } from './providers.js';

export type Tier = 'fast' | 'real';

/** What is kept of a story: one short line in a file. */
export interface Result {
  readonly tier: Tier;
  readonly provider: Provider;
  readonly seed: number;
  readonly commit: string;
  readonly counts: Counts;
  /** Until nothing was open any more; in the fast tier time that was skipped, in the real tier time that passed. */
  readonly recoverySeconds: number;
  readonly hits: readonly string[];
}

export interface Counts {
  readonly duplicates: number;
  readonly losses: number;
  readonly wrongAmounts: number;
  readonly stuck: number;
}

export const NOTHING: Counts = { duplicates: 0, losses: 0, wrongAmounts: 0, stuck: 0 };

export function countFindings(findings: readonly { readonly kind: FindingKind }[]): Counts {
  const count = (kind: FindingKind) => findings.filter((finding) => finding.kind === kind).length;
  return {
    duplicates: count('duplicate'),
    losses: count('loss'),
    wrongAmounts: count('wrong amount'),
    stuck: count('stuck'),
  };
}

export function sumCounts(all: readonly Counts[]): Counts {
  return all.reduce(
    (sum, each) => ({
      duplicates: sum.duplicates + each.duplicates,
      losses: sum.losses + each.losses,
      wrongAmounts: sum.wrongAmounts + each.wrongAmounts,
      stuck: sum.stuck + each.stuck,
    }),
    NOTHING,
  );
}

export function isClean({ duplicates, losses, wrongAmounts, stuck }: Counts): boolean {
  return duplicates + losses + wrongAmounts + stuck === 0;
}

/**
 * `f 17 1a2b3c4 ok 240 createQboInvoice/sql/12/after`; findings stand as `D1L0W2S0` in the place of `ok`. `f stripe 17 …`
 * is a story about Stripe, `f bulk 17 …` one of many invoices at a time, a line without a provider is about QuickBooks.
 */
export function toLine({ tier, provider, seed, commit, counts, recoverySeconds, hits }: Result): string {
  const { duplicates, losses, wrongAmounts, stuck } = counts;
  const verdict = isClean(counts) ? 'ok' : `D${duplicates}L${losses}W${wrongAmounts}S${stuck}`;
  const story = [tier === 'fast' ? 'f' : 'r', ...(provider === 'qbo' ? [] : [provider]), seed];
  return [...story, commit, verdict, recoverySeconds, hits.join(',')].join(' ').trimEnd();
}

const LINE = /^([fr])(?: (stripe|bulk))? (\d+) (\w+) (?:ok|D(\d+)L(\d+)W(\d+)S(\d+)) ([\d.]+)(?: (\S+))?$/;

export function fromLine(line: string): Result {
  const match = LINE.exec(line);
  if (!match) throw new Error(`this is no line of results: ${line}`);
  const [, tier, provider, seed, commit = '', ...rest] = match;
  const [duplicates = 0, losses = 0, wrongAmounts = 0, stuck = 0, seconds, hits] = rest;
  return {
    tier: tier === 'f' ? 'fast' : 'real',
    provider: provider === 'stripe' || provider === 'bulk' ? provider : 'qbo',
    seed: Number(seed),
    commit,
    counts: {
      duplicates: Number(duplicates),
      losses: Number(losses),
      wrongAmounts: Number(wrongAmounts),
      stuck: Number(stuck),
    },
    recoverySeconds: Number(seconds),
    hits: hits?.split(',') ?? [],
  };
}

/** None when there is no such file yet. */
export async function readResults(file: string): Promise<Result[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(fromLine);
}

export async function appendResult(file: string, result: Result): Promise<void> {
  await appendFile(file, `${toLine(result)}\n`);
}
