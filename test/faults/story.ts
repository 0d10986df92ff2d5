import { audit } from './auditor/auditor.js';
import type { Evidence, Finding } from './auditor/evidence.js';
import { readHistory } from './auditor/history.js';
import { type Point, type Profile, pointsOf, type Strike } from './points.js';
import { Random } from './random.js';
import { proveTokens, recover } from './recovery.js';
import { breakAnswers, calmDown, companySettings, disturbWebhooks, sharpenTokens, skewClocks } from './saboteur.js';
import { Stage } from './stage.js';
import { type StepName, steps } from './steps.js';
import { JOBS, type System } from './system.js';

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
export async function tellStory(system: System, seed: number, profile: Profile | undefined): Promise<Report> {
  const random = new Random(seed);
  const plan = makePlan(random, profile);
  const { currency, settings } = companySettings(random.fork('company'));
  const stage = new Stage(system, random.fork('stage'), currency);
  stage.doClientsReturn = plan.doClientsReturn;
  system.takeHits();
  system.takeErrors();
  await system.control('POST', '/companies', { realmId: stage.realmId, companyName: 'Story', ...settings });
  if (profile) await sharpenTokens(stage);
  if (profile) await disturbWebhooks(stage);
  if (profile && random.chance(0.3)) await skewClocks(stage);
  else await system.skew([0, 0, 0, 0]);
  system.arm(plan.strikes);
  await openConference(stage);
  for (const name of plan.steps) await playStep(stage, name, profile !== undefined);
  const earlier = await readHistory((text, parameters) => system.sql(text, parameters), stage.conferenceId);
  const hits = system.takeHits();
  stage.wasStruck ||= hits.length > 0;
  await calmDown(stage);
  const isTaxed = 'salesTaxPercent' in settings;
  const judge = async () => audit({ ...(await evidenceOf(stage)), isTaxed, earlier });
  const { recoveryMs, findings } = await recover(stage, judge);
  const judged = [...stage.findings, ...findings, ...(await judge()), ...(await proveTokens(stage))];
  const thrown = system.takeErrors().map((what): Finding => ({ kind: 'stuck', what }));
  await leave(stage);
  return { seed, findings: [...judged, ...thrown], hits, recoveryMs, steps: plan.steps };
}

async function evidenceOf(stage: Stage): Promise<Omit<Evidence, 'isTaxed' | 'earlier'>> {
  const { system, conferenceId, told, rewritten, orders } = stage;
  return {
    sql: (text, parameters) => system.sql(text, parameters),
    books: await stage.books(),
    conferenceId,
    told,
    rewritten,
    asked: [...stage.asked.values()],
    totals: new Map(orders.map(({ id, totalMinor }) => [id, totalMinor])),
    emailsAsked: new Map(orders.map(({ id, emailsAsked }) => [id, emailsAsked])),
  };
}

/** The next story must not be kept busy by what this one left open. */
async function leave({ system, realmId }: Stage): Promise<void> {
  await system.sql(
    `update provider_operation set state = 'REFUSED' where state not in ('DONE', 'REFUSED')
     and qbo_connection_id in (select id from qbo_connection where realm_id = $1)`,
    [realmId],
  );
  await system.sql(`delete from webhook_event where company_id = $1`, [realmId]);
  await system.control('DELETE', `/companies/${realmId}`);
}

interface Plan {
  readonly doClientsReturn: boolean;
  readonly strikes: readonly Strike[];
  readonly steps: readonly StepName[];
}

/** Where the story of a seed means to strike, whether or not it gets there. */
export function plannedStrikes(seed: number, profile: Profile): readonly Strike[] {
  return makePlan(new Random(seed), profile).strikes;
}

/** The points are drawn first, every one as likely as any other; then a story is made that passes by them. */
function makePlan(story: Random, profile: Profile | undefined): Plan {
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
        points.filter(({ useCase }) => useCase === 'createQboInvoice'),
      ),
    );
  // Mostly short, so that many are told: what goes wrong mostly takes one fault and one thing that follows it.
  const acts = Array.from({ length: random.pick([0, 1, 1, 2, 2, 5]) }, () => random.weighted(WEIGHTS));
  for (const { useCase } of strikes) acts.splice(random.between(0, acts.length), 0, ...stepsThatRun(useCase));
  const orders = Array.from(
    { length: random.pick([1, 1, 1, 1, 2, 3]) },
    (): StepName => (random.chance(0.3) ? 'createOrderTwice' : 'createOrder'),
  );
  const invoicing = orders.map((): StepName => random.pick(['invoice', 'invoiceFromBoth', 'invoiceByDoubleClick']));
  // Mostly in the usual order, so that later steps find something to act on.
  const beginning = random.chance(0.85) ? invoicing : [];
  return { strikes, steps: [...orders, ...beginning, ...acts], doClientsReturn: random.chance(0.5) };
}

function strikeAt(random: Random, points: readonly Point[]): Strike {
  const point = random.pick(points);
  const action = point.kind === 'sql' && random.chance(0.15) ? 'cut' : 'crash';
  return { ...point, action };
}

const WEIGHTS: Readonly<Record<StepName, number>> = {
  createOrder: 1,
  createOrderTwice: 1,
  markSent: 1,
  invoice: 4,
  invoiceFromBoth: 3,
  invoiceByDoubleClick: 3,
  email: 4,
  payPart: 6,
  payFully: 4,
  payTooMuch: 1,
  paySeveral: 3,
  editPaymentAmount: 3,
  editPaymentDay: 2,
  voidPayment: 2,
  deletePayment: 2,
  unapplyPayment: 1.5,
  movePayment: 1.5,
  depositPayment: 0.5,
  takeDeposit: 0.5,
  refund: 1,
  grantCredit: 2,
  voidInvoice: 1,
  deleteInvoice: 0.5,
  editInvoice: 1.5,
  rewriteInvoice: 1,
  cancel: 1,
  payManually: 1,
  payManuallyAndReverse: 1,
  creditHere: 1,
  sync: 3,
  expireTokens: 1,
  forgetRequestIds: 1,
  workOffEvents: 2,
  resume: 1,
  sweep: 1,
};

function stepsThatRun(useCase: string): StepName[] {
  const byUseCase: Readonly<Record<string, StepName[]>> = {
    sendPurchaseOrder: ['markSent'],
    cancelPurchaseOrder: ['cancel'],
    sendQboInvoice: ['email'],
    syncQboInvoiceStatus: ['sync'],
    recordPayment: ['payManually'],
    reversePayment: ['payManuallyAndReverse'],
    issueCreditNote: ['creditHere'],
    processQboEvents: ['payPart', 'workOffEvents'],
    receiveWebhook: ['payPart'],
    sweepQboConnection: ['payPart', 'sweep'],
    resumeOperations: ['resume'],
  };
  return byUseCase[useCase] ?? [];
}

/** Conferences share nothing but the database. */
async function openConference(stage: Stage): Promise<void> {
  const name = `Story ${stage.realmId}`;
  const timezone = stage.random.pick(['UTC', 'America/New_York', 'Asia/Tokyo']);
  stage.conferenceId = await stage.insist('createConference', {
    name,
    slug: `story-${stage.realmId}`,
    currencyCode: stage.currency,
    timezone,
    idempotencyKey: stage.newKey(),
  });
  await stage.connect();
}

async function playStep(stage: Stage, name: StepName, isDisturbed: boolean): Promise<void> {
  const { random, system } = stage;
  // Of its own: what happens at the same time draws in an order that nobody knows.
  const aside = random.fork('aside');
  if (isDisturbed && random.chance(0.35)) await breakAnswers(stage);
  const acts = [steps[name](stage)];
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

async function workInBackground({ system, realmId }: Stage, random: Random): Promise<void> {
  const [job, other] = [random.pick(JOBS), random.pick(JOBS)];
  if (random.chance(0.5)) return system.work(random.chance(0.5) ? 0 : 1, job, realmId);
  await Promise.all([system.work(0, job, realmId), system.work(1, other, realmId)]);
}
