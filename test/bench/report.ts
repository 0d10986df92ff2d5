/** Whether the goal is a floor (throughput) or a ceiling (latency). */
export type Goal = { readonly atLeast: number } | { readonly atMost: number };

/** A line of `.bench/results.json`. A row with nothing to compare with has neither peer nor ratio. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly peer: number | null;
  readonly peerName: string | null;
  /** Ours divided by the peer's. */
  readonly ratio: number | null;
  readonly goal: number | null;
  /** How the goal of the ratio, or of a figure alone, is meant: `at most` where less is better. */
  readonly goalIs: 'at least' | 'at most' | null;
  readonly met: boolean;
}

/** What was measured in the rounds of a comparison, one figure a round. */
export interface Comparison {
  readonly name: string;
  readonly unit: string;
  readonly ours: readonly number[];
  readonly peer: readonly number[];
  readonly peerName: string;
  readonly goal?: Goal;
}

/** The middle figure, or the mean of the two in the middle. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new RangeError('there is no median of no figures');
  return (lower + upper) / 2;
}

/** The smallest figure that at least this share of all figures do not exceed. */
export function percentile(figures: readonly number[], share: number): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const found = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  if (found === undefined) throw new RangeError('there is no percentile of no figures');
  return found;
}

export function isMet(value: number, goal: Goal): boolean {
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost;
}

/** Of each side the median of the rounds; the goal is compared before anything is rounded. */
export function compare({ name, unit, ours, peer, peerName, goal }: Comparison): Row {
  const middle = { ours: median(ours), peer: median(peer) };
  const ratio = middle.ours / middle.peer;
  return {
    name,
    unit,
    ours: rounded(middle.ours),
    peer: rounded(middle.peer),
    peerName,
    ratio: rounded(ratio),
    ...goalOf(goal),
    met: goal === undefined || isMet(ratio, goal),
  };
}

/** A figure of ours that is told, not compared. A goal is one of the figure itself. */
export function figure(name: string, unit: string, ours: number, goal?: Goal): Row {
  const alone = { peer: null, peerName: null, ratio: null };
  return { name, unit, ours: rounded(ours), ...alone, ...goalOf(goal), met: goal === undefined || isMet(ours, goal) };
}

function goalOf(goal: Goal | undefined): Pick<Row, 'goal' | 'goalIs'> {
  if (goal === undefined) return { goal: null, goalIs: null };
  return 'atLeast' in goal ? { goal: goal.atLeast, goalIs: 'at least' } : { goal: goal.atMost, goalIs: 'at most' };
}

/** Three significant digits, and no fewer than the whole ones. */
function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}

const HEADINGS = ['what', 'unit', 'ours', 'peer', 'ratio', 'goal', 'met'] as const;

/** The rows as a table, for a terminal and for Markdown alike. */
export function table(rows: readonly Row[]): string {
  const cells = [HEADINGS, ...rows.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  const [headings, ...lines] = cells.map(line);
  return [headings, rule, ...lines].join('\n');
}

function cellsOf({ name, unit, ours, peer, peerName, ratio, goal, goalIs, met }: Row): readonly string[] {
  return [
    name,
    unit,
    `${ours}`,
    peer === null ? '' : `${peer} (${peerName})`,
    ratio === null ? '' : ratio.toFixed(2),
    goal === null ? '' : `${goalIs === 'at most' ? '≤' : '≥'} ${goal}`,
    goal === null ? '' : met ? 'yes' : 'no',
  ];
}
