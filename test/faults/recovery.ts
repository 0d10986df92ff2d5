import type { Finding } from './auditor/evidence.js';
import type { Stage } from './stage.js';
import type { Job } from './system.js';

export interface Recovery {
  /** How long it took until nothing was open any more, in the story's own time. */
  readonly recoveryMs: number;
  readonly findings: readonly Finding[];
}

/**
 * Nothing breaks any more: the workers get their time, and clients repeat what was not answered. At first no sweep helps:
 * where no webhook was lost, `judge` must find everything right already. Workers that keep a timetable of their own are
 * now and then told nothing at all.
 */
export async function recover(stage: Stage, judge: () => Promise<Finding[]>): Promise<Recovery> {
  const findings: Finding[] = [];
  const isJudgedEarly = stage.system.ownPaceMs === undefined && !(await stage.wereWebhooksLost());
  const early = isJudgedEarly ? await settleDown(stage, stage.jobs.filter(isPrompt)) : undefined;
  if (early?.isQuiet)
    findings.push(...(await judge()).map((each) => ({ ...each, what: `before a sweep, ${each.what}` })));
  const calmSince = await stage.sweepMarks();
  const isLeftAlone = stage.system.ownPaceMs !== undefined && stage.random.chance(0.05);
  const isSwept = async () => (await stage.sweepMarks()).every((mark, index) => mark !== calmSince[index]);
  const late = await settleDown(stage, isLeftAlone ? [] : stage.jobs, isSwept);
  if (!late.isQuiet) findings.push(...(await whatIsOpen(stage)));
  return { recoveryMs: (early?.tookMs ?? 0) + late.tookMs, findings };
}

function isPrompt(job: Job): boolean {
  return !job.startsWith('sweep');
}

async function settleDown(
  stage: Stage,
  jobs: readonly Job[],
  isDone: () => Promise<boolean> = async () => true,
): Promise<{ readonly tookMs: number; readonly isQuiet: boolean }> {
  const { system } = stage;
  const untilTheirTurn = jobs.length === 0 ? [system.ownPaceMs ?? 0] : [];
  let tookMs = 0;
  for (const pauseMs of [...untilTheirTurn, ...system.settlingMs]) {
    if (pauseMs > 0) await system.settle(pauseMs);
    tookMs += pauseMs;
    await stage.helpOut();
    const { unanswered } = stage;
    stage.unanswered = [];
    if (stage.doClientsReturn) for (const { repeat } of unanswered) await repeat();
    await stage.flushWebhooks();
    for (const job of jobs) await stage.work(stage.worker, job);
    // What they did is told, too.
    await stage.flushWebhooks();
    if (stage.unanswered.length === 0 && (await stage.isQuiet()) && (await isDone())) return { tookMs, isQuiet: true };
  }
  return { tookMs, isQuiet: false };
}

/** Open operations and events are the auditor's to find. */
async function whatIsOpen(stage: Stage): Promise<Finding[]> {
  const what = `${stage.unanswered.length} clients have no answer, or there was no sweep`;
  return (await stage.isQuiet()) ? [{ kind: 'stuck', what }] : [];
}
