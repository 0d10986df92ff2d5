import type { Row } from './report.js';

/** How much is measured. */
export interface Scale {
  readonly rounds: number;
  readonly secondsPerRound: number;
  readonly warmUpSeconds: number;
  /** Of the small database and of the large one. */
  readonly fewOrders: number;
  readonly manyOrders: number;
  readonly timedRequests: number;
  /** Made one by one, and paid. */
  readonly invoices: number;
  readonly eventsPerSecond: readonly number[];
}

export const FULL: Scale = {
  rounds: 5,
  secondsPerRound: 8,
  warmUpSeconds: 5,
  fewOrders: 1_000,
  manyOrders: 1_000_000,
  timedRequests: 300,
  invoices: 100,
  eventsPerSecond: [200, 500, 1_000],
};

/** For development: says whether everything works, and roughly how fast. */
export const QUICK: Scale = {
  ...FULL,
  rounds: 2,
  secondsPerRound: 3,
  warmUpSeconds: 2,
  manyOrders: 50_000,
  timedRequests: 50,
  invoices: 8,
};

/** What every benchmark gets. */
export interface Bench {
  readonly scale: Scale;
  /** A database of the one PostgreSQL server that everybody uses. */
  readonly serverUrl: string;
  /** Deleted at the end. Other accounts can enter it. */
  readonly directory: string;
  readonly say: (progress: string) => void;
}

export interface Benchmark {
  /** For `--only`. */
  readonly name: string;
  readonly run: (bench: Bench) => Promise<readonly Row[]>;
}

/** Measures the sides in turn, round after round, so that a machine that slows down slows all of them. */
export async function interleave<Side extends string>(
  { scale, say }: Bench,
  sides: Readonly<Record<Side, (seconds: number) => Promise<number>>>,
): Promise<Readonly<Record<Side, readonly number[]>>> {
  const measured = Object.entries<(seconds: number) => Promise<number>>(sides).map(([side, measure]) => ({
    side,
    measure,
    figures: [] as number[],
  }));
  for (const { measure } of measured) await measure(scale.warmUpSeconds);
  for (let round = 1; round <= scale.rounds; round += 1) {
    for (const { measure, figures } of measured) figures.push(await measure(scale.secondsPerRound));
    const latest = measured.map(({ side, figures }) => `${side} ${figures.at(-1)?.toFixed(1)}`);
    say(`round ${round} of ${scale.rounds}: ${latest.join(', ')}`);
  }
  return Object.fromEntries(measured.map(({ side, figures }) => [side, figures])) as Record<Side, number[]>;
}
