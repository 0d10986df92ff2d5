import type { EntityManager } from '@mikro-orm/postgresql';
import type { UseCaseContext } from '../context.js';

/**
 * The companies that have work now: events that are due, and those that are marked as being worked on, because their
 * worker may have died. Whether it did, the company's lock tells.
 */
export async function pendingCompanies({
  em,
  clock,
}: Pick<UseCaseContext, 'em' | 'clock'>): Promise<{ provider: string; companyId: string }[]> {
  return em.execute(
    `select distinct provider, company_id as "companyId" from webhook_event
     where state = 'PROCESSING' or state = 'RECEIVED' and next_attempt_at <= ?`,
    [clock.now()],
  );
}

/** When the next waiting event of a company is due, if there is one; what a dead worker left behind is due since it came. */
export async function nextDueEvent(em: EntityManager, provider: string, companyId: string): Promise<Date | undefined> {
  const [row] = await em.fork().execute<{ due_at: string | null }[]>(
    `select min(case state when 'PROCESSING' then received_at else next_attempt_at end) as due_at from webhook_event
     where provider = ? and company_id = ? and state in ('RECEIVED', 'PROCESSING')`,
    [provider, companyId],
  );
  return row?.due_at ? new Date(row.due_at) : undefined;
}
