import type { Stage } from './stage.js';
import { JOBS } from './system.js';

/** Nothing breaks any more: the workers get their time, clients repeat what was not answered. Returns how long it took. */
export async function recover(stage: Stage): Promise<number> {
  const { system } = stage;
  let recoveryMs = 0;
  // A sweep that began afterwards has seen what no webhook told.
  const calmSince = await sweptAt(stage);
  for (const pauseMs of system.settlingMs) {
    if (pauseMs > 0) await system.settle(pauseMs);
    recoveryMs += pauseMs;
    await reconnectIfAsked(stage);
    const { unanswered } = stage;
    stage.unanswered = [];
    for (const { repeat } of unanswered) await repeat();
    await system.control('POST', '/webhooks/flush', { realmId: stage.realmId });
    for (const job of JOBS) await system.work(stage.worker, job, stage.realmId);
    if (stage.unanswered.length === 0 && (await isQuiet(stage)) && (await sweptAt(stage)) !== calmSince) break;
  }
  return recoveryMs;
}

/**
 * What a person does when the connection asks for it. Only where no client can help it: a process that dies between
 * Intuit's rotation of a token and storing the new one has lost it, and asking again may be punished.
 */
async function reconnectIfAsked(stage: Stage): Promise<void> {
  if (stage.mayLoseTokens) return;
  const [row] = await stage.system.sql('select status from qbo_connection where realm_id = $1', [stage.realmId]);
  if (row?.status === 'RECONNECT_REQUIRED') await stage.connect();
}

async function isQuiet({ system, realmId }: Stage): Promise<boolean> {
  const [row] = await system.sql(
    `select (select count(*) from provider_operation o join qbo_connection c on c.id = o.connection_id
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
