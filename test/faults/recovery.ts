import type { Stage } from './stage.js';
import { JOBS } from './system.js';

/** Nothing breaks any more: the workers get their time, clients repeat what was not answered. Returns how long it took. */
export async function recover(stage: Stage): Promise<number> {
  const { system } = stage;
  let recoveryMs = 0;
  for (const pauseMs of system.settlingMs) {
    if (pauseMs > 0) await system.settle(pauseMs);
    recoveryMs += pauseMs;
    const { unanswered } = stage;
    stage.unanswered = [];
    for (const { repeat } of unanswered) await repeat();
    await system.control('POST', '/webhooks/flush', { realmId: stage.realmId });
    for (const job of JOBS) await system.work(stage.worker, job, stage.realmId);
    if (stage.unanswered.length === 0 && (await isQuiet(stage))) break;
  }
  await readMissedChanges(stage);
  return recoveryMs;
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

/** What a webhook that was lost would have told. */
async function readMissedChanges(stage: Stage): Promise<void> {
  const rows = await stage.system.sql(
    `select distinct purchase_order_id as id from invoice join purchase_order o on o.id = purchase_order_id
     where conference_id = $1 and status not in ('CREATING', 'UNKNOWN') order by 1`.replace('status', 'invoice.status'),
    [stage.conferenceId],
  );
  for (const { id } of rows) await stage.system.call(0, 'syncQboInvoiceStatus', { purchaseOrderId: String(id) });
}
