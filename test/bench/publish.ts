import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem, type } from 'node:os';
import { PINNING } from './processes.js';
import { type Row, table } from './report.js';

const DOCUMENT = 'docs/benchmarks.md';
const BEGIN = '<!-- results: written by npm run bench -- --publish -->';
const END = '<!-- end of results -->';

/** Replaces the results in the document, and leaves what people wrote around them. */
export async function publish(rows: readonly Row[], postgresVersion: string): Promise<void> {
  const results = `${machine(postgresVersion)}\n\n${table(rows)}\n\n${summary(rows)}`;
  await writeFile(DOCUMENT, insertResults(await readFile(DOCUMENT, 'utf8'), results));
}

/** The document with these results between the two marks. */
export function insertResults(document: string, results: string): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the document has no place for the results: ${BEGIN} … ${END}`);
  return `${document.slice(0, begin)}${BEGIN}\n\n${results}\n\n${document.slice(end)}`;
}

/** Which goals were missed. */
export function summary(rows: readonly Row[]): string {
  const goals = rows.filter(({ goal }) => goal !== null);
  const missed = goals.filter(({ met }) => !met);
  const found = `${goals.length - missed.length} of ${goals.length} goals were met.`;
  return missed.length === 0 ? found : `${found} Missed: ${missed.map(described).join('; ')}.`;
}

function described({ name, unit, ours, peerName, ratio, goal }: Row): string {
  return peerName === null
    ? `${name} (${ours} ${unit}, goal ${goal})`
    : `${name} against ${peerName} (${ratio}, goal ${goal})`;
}

function machine(postgresVersion: string): string {
  const [cpu] = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const share =
    PINNING.server === undefined
      ? 'Server, PostgreSQL and load generator shared all of them, whoever was measured.'
      : `Each server had processors ${PINNING.server}, the load generator processor ${PINNING.generator}.`;
  const date = new Date().toISOString().slice(0, 10);
  const commit = execFileSync('git', ['rev-parse', '--short=10', 'HEAD'], { encoding: 'utf8' }).trim();
  return [
    `Measured on ${date} at commit ${commit}: ${cpus().length} × ${cpu?.model.trim()}, ${gigabytes} GB, ${type()} ${release()},`,
    `Node ${process.versions.node}, PostgreSQL ${postgresVersion}. ${share}`,
  ].join('\n');
}
