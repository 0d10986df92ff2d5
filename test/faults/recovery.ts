import { z } from 'zod';
import type { Finding } from './auditor/evidence.js';
import type { Stage } from './stage.js';
import { JOBS, type Job } from './system.js';

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
  const isJudgedEarly = stage.system.ownPaceMs === undefined && !(await wereWebhooksLost(stage));
  const early = isJudgedEarly ? await settleDown(stage, ['processQboEvents', 'resumeOperations']) : undefined;
  if (early?.isQuiet)
    findings.push(...(await judge()).map((each) => ({ ...each, what: `before a sweep, ${each.what}` })));
  const calmSince = await sweptAt(stage);
  const isLeftAlone = stage.system.ownPaceMs !== undefined && stage.random.chance(0.05);
  const late = await settleDown(stage, isLeftAlone ? [] : JOBS, async () => (await sweptAt(stage)) !== calmSince);
  if (!late.isQuiet) findings.push(...(await whatIsOpen(stage)));
  return { recoveryMs: (early?.tookMs ?? 0) + late.tookMs, findings };
}

/** Whether a delivery was dropped, or given up because nobody took it. */
async function wereWebhooksLost({ system, realmId, areWebhooksLost }: Stage): Promise<boolean> {
  await system.control('POST', '/webhooks/flush', { realmId });
  const { deliveries } = webhooks.parse(await system.control('GET', `/webhooks?realmId=${realmId}`));
  return areWebhooksLost || deliveries.some(({ status }) => status === 'failed');
}

const webhooks = z.object({ deliveries: z.array(z.object({ status: z.string() })) });

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
    await reconnectIfAsked(stage);
    const { unanswered } = stage;
    stage.unanswered = [];
    if (stage.doClientsReturn) for (const { repeat } of unanswered) await repeat();
    await system.control('POST', '/webhooks/flush', { realmId: stage.realmId });
    for (const job of jobs) await system.work(stage.worker, job, stage.realmId);
    // What they did is told, too.
    await system.control('POST', '/webhooks/flush', { realmId: stage.realmId });
    if (stage.unanswered.length === 0 && (await isQuiet(stage)) && (await isDone())) return { tookMs, isQuiet: true };
  }
  return { tookMs, isQuiet: false };
}

/** Open operations and events are the auditor's to find. */
async function whatIsOpen(stage: Stage): Promise<Finding[]> {
  const what = `${stage.unanswered.length} clients have no answer, or the company was not swept`;
  return (await isQuiet(stage)) ? [{ kind: 'stuck', what }] : [];
}

/**
 * What a person does when the connection asks for it. Only where no client can help it: a process that dies between
 * Intuit's rotation of a token and storing the new one has lost it, and asking again may be punished.
 */
async function reconnectIfAsked(stage: Stage): Promise<void> {
  if (stage.mayLoseTokens || !stage.wasStruck) return;
  const [row] = await stage.system.sql('select status from qbo_connection where realm_id = $1', [stage.realmId]);
  if (row?.status === 'RECONNECT_REQUIRED') await stage.connect();
}

/** The tokens that are left open the company: also when the access token ends now. */
export async function proveTokens(stage: Stage): Promise<Finding[]> {
  const { system, realmId } = stage;
  const [order] = await system.sql(
    `select purchase_order_id as id from invoice
     where company_id = $1 and external_id is not null and status not in ('VOIDED', 'DELETED')`,
    [`SANDBOX:${realmId}`],
  );
  if (!order) return [];
  // A refresh in the second after another one looks like a concurrent one.
  await system.settle(1_100);
  await system.control('POST', '/expire-tokens', { realmId });
  const answer = await system.call(stage.api, 'syncQboInvoiceStatus', { purchaseOrderId: String(order.id) });
  if (answer.kind === 'answered' && answer.id !== null) return [];
  const why = answer.kind === 'answered' ? answer.codes.join() : 'no answer';
  return [{ kind: 'stuck', what: `the tokens do not open the company any more: ${why}` }];
}

async function isQuiet({ system, realmId }: Stage): Promise<boolean> {
  const [row] = await system.sql(
    `select (select count(*) from provider_operation o join qbo_connection c on c.id = o.qbo_connection_id
              where realm_id = $1 and state not in ('DONE', 'REFUSED'))
          + (select count(*) from webhook_event where company_id = $1 and state not in ('DONE', 'IGNORED', 'DEAD')) as open`,
    [realmId],
  );
  return Number(row?.open) === 0;
}

/** When the company was swept last with success, or that it has nothing to sweep. */
async function sweptAt({ system, realmId }: Stage): Promise<unknown> {
  const [row] = await system.sql(
    `select s.last_swept_at::text as at, (select count(*) from invoice where qbo_connection_id = c.id)::int as invoices
     from qbo_connection c left join qbo_sweep s on s.connection_id = c.id where realm_id = $1`,
    [realmId],
  );
  return row?.invoices === 0 ? Symbol('nothing to sweep') : row?.at;
}
