import { type QboConnection, QboConnectionStatus } from '../../domain/quickbooks/qbo-connection.entity.js';
import type { QboSweep } from '../../domain/quickbooks/qbo-sweep.entity.js';
import type { DueSweep } from '../sweeps.js';
import type { QboContext } from './qbo-context.js';

/** The companies to be swept now. */
export async function dueQboSweeps({ em, clock, waits, allowsSimulators }: QboContext): Promise<DueSweep[]> {
  const now = clock.now();
  return em.fork().execute(
    `select 'QBO' as provider, connection.id as "connectionId", connection.realm_id as "companyId"
     from qbo_connection connection left join qbo_sweep sweep on sweep.connection_id = connection.id
     where connection.status = 'CONNECTED' and (? or not connection.simulated)
       and case when sweep is null then connection.created_at <= ? else sweep.next_sweep_at <= ? end`,
    [allowsSimulators, new Date(now.getTime() - waits.firstSweepMs), now],
  );
}

/** As `dueQboSweeps`, asked again by whoever holds the company's lock: another worker may have swept it meanwhile. */
export function isSweepDue(
  { clock, waits, allowsSimulators }: QboContext,
  connection: QboConnection,
  sweep: QboSweep | null,
): boolean {
  if (connection.status !== QboConnectionStatus.CONNECTED) return false;
  if (connection.simulated && !allowsSimulators) return false;
  const dueAt = sweep?.nextSweepAt.getTime() ?? connection.createdAt.getTime() + waits.firstSweepMs;
  return dueAt <= clock.now().getTime();
}
