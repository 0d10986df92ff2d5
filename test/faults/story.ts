import { audit } from './auditor/auditor.js';
import type { Finding } from './auditor/evidence.js';
import { readHistory } from './auditor/history.js';
import { type Point, type Profile, pointsOf, type Strike } from './points.js';
import { Random } from './random.js';
import { recover } from './recovery.js';
import type { Repertoire } from './repertoire.js';
import type { Stage } from './stage.js';
import type { System } from './system.js';

export interface Report {
  readonly seed: number;
  readonly findings: readonly Finding[];
  /** Names of the points that were struck. */
  readonly hits: readonly string[];
  /** How long it took until nothing was open any more, in the story's own time. */
  readonly recoveryMs: number;
  readonly steps: readonly string[];
}

/** Without a profile nothing is struck and nothing breaks: the story as it should go. */
export async function tellStory(
  system: System,
  repertoire: Repertoire,
  seed: number,
  profile: Profile | undefined,
): Promise<Report> {
  const random = new Random(seed);
  const plan = makePlan(random, repertoire, profile);
  const stage = await repertoire.raise(system, random);
  stage.doClientsReturn = plan.doClientsReturn;
  system.takeHits();
  system.takeErrors();
  if (profile) await stage.disturb();
  if (profile && random.chance(0.3)) await skewClocks(stage);
  else await system.skew([0, 0, 0, 0]);
  system.arm(plan.strikes);
  await openConference(stage);
  for (const name of plan.steps) await playStep(stage, name, profile !== undefined);
  const earlier = await readHistory((text, parameters) => system.sql(text, parameters), stage.conferenceId);
  const hits = system.takeHits();
  stage.wasStruck ||= hits.length > 0;
  system.arm([]);
  await stage.calmDown();
  const judge = async () => audit({ ...(await stage.evidence()), earlier });
  const { recoveryMs, findings } = await recover(stage, judge);
  const judged = [...stage.findings, ...findings, ...(await judge()), ...(await stage.proveAccess())];
  const thrown = system.takeErrors().map((what): Finding => ({ kind: 'stuck', what }));
  await stage.leave();
  return { seed, findings: [...judged, ...thrown], hits, recoveryMs, steps: plan.steps };
}

interface Plan {
  readonly doClientsReturn: boolean;
  readonly strikes: readonly Strike[];
  readonly steps: readonly string[];
}

/** Where the story of a seed means to strike, whether or not it gets there. */
export function plannedStrikes(repertoire: Repertoire, seed: number, profile: Profile): readonly Strike[] {
  return makePlan(new Random(seed), repertoire, profile).strikes;
}

/** The points are drawn first, every one as likely as any other; then a story is made that passes by them. */
function makePlan(story: Random, repertoire: Repertoire, profile: Profile | undefined): Plan {
  const { weights, stepsThatRun, resumable } = repertoire;
  const random = story.fork('plan');
  const points = profile ? pointsOf(profile) : [];
  const strikes =
    points.length === 0 ? [] : Array.from({ length: random.between(1, 3) }, () => strikeAt(random, points));
  // Only what was struck before can be resumed.
  const isResumed = strikes.some(({ useCase }) => useCase === 'resumeOperations');
  if (isResumed)
    strikes.push(
      strikeAt(
        random,
        points.filter(({ useCase }) => useCase === resumable),
      ),
    );
  // Mostly short, so that many are told: what goes wrong mostly takes one fault and one thing that follows it.
  const acts = Array.from({ length: random.pick([0, 1, 1, 2, 2, 5]) }, (): string => random.weighted(weights));
  for (const { useCase } of strikes) {
    acts.splice(random.between(0, acts.length), 0, ...(stepsThatRun[useCase] ?? []));
  }
  const orders = Array.from({ length: random.pick([1, 1, 1, 1, 2, 3]) }, () =>
    random.chance(0.3) ? 'createOrderTwice' : 'createOrder',
  );
  const invoicing = orders.map(() => random.pick(repertoire.invoicing));
  // Mostly in the usual order, so that later steps find something to act on.
  const beginning = random.chance(0.85) ? invoicing : [];
  return { strikes, steps: [...orders, ...beginning, ...acts], doClientsReturn: random.chance(0.5) };
}

function strikeAt(random: Random, points: readonly Point[]): Strike {
  const point = random.pick(points);
  const action = point.kind === 'sql' && random.chance(0.15) ? 'cut' : 'crash';
  return { ...point, action };
}

const TEN_MINUTES_MS = 600_000;

async function skewClocks({ system, random }: Stage): Promise<void> {
  const off = () => random.pick([0, TEN_MINUTES_MS, -TEN_MINUTES_MS, random.between(-60_000, 60_000)]);
  await system.skew([off(), off(), off(), off()]);
}

/** Conferences share nothing but the database. */
async function openConference(stage: Stage): Promise<void> {
  stage.timezone = stage.random.pick(['UTC', 'America/New_York', 'Asia/Tokyo']);
  stage.conferenceId = await stage.insist('createConference', {
    name: `Story ${stage.id}`,
    slug: stage.slug,
    currencyCode: stage.currency,
    timezone: stage.timezone,
    idempotencyKey: stage.newKey(),
  });
  await stage.connect();
}

async function playStep(stage: Stage, name: string, isDisturbed: boolean): Promise<void> {
  const { random, system } = stage;
  // Of its own: what happens at the same time draws in an order that nobody knows.
  const aside = random.fork('aside');
  if (isDisturbed && random.chance(0.35)) await stage.breakAnswers();
  const acts = [stage.play(name)];
  if (aside.chance(0.25)) acts.push(workInBackground(stage, aside));
  if (isDisturbed && aside.chance(0.04)) {
    stage.wasStruck = true;
    acts.push(system.cutConnections());
  }
  await Promise.all(acts);
  if (random.chance(0.25)) await workInBackground(stage, random);
  if (isDisturbed && random.chance(0.25)) await system.advance(random.pick(JUMPS_MS));
}

const JUMPS_MS = [1_000, 10_000, 40_000, 200_000, 6 * 60_000, 16 * 60_000, 61 * 60_000, 25 * 3_600_000];

async function workInBackground(stage: Stage, random: Random): Promise<void> {
  const [job, other] = [random.pick(stage.jobs), random.pick(stage.jobs)];
  if (random.chance(0.5)) return stage.work(random.chance(0.5) ? 0 : 1, job);
  await Promise.all([stage.work(0, job), stage.work(1, other)]);
}
