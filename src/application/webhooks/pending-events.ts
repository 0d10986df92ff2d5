import type { EntityManager } from '@mikro-orm/postgresql';
import { WebhookEvent, WebhookEventState } from '../../domain/webhook/webhook-event.entity.js';
import type { UseCaseContext } from '../context.js';

/** The companies that have events due now. */
export async function pendingCompanies({
  em,
  clock,
}: Pick<UseCaseContext, 'em' | 'clock'>): Promise<{ provider: string; companyId: string }[]> {
  return em.execute(
    `select distinct provider, company_id as "companyId" from webhook_event
     where state = 'RECEIVED' and next_attempt_at <= ?`,
    [clock.now()],
  );
}

/** When the next waiting event of a company is due, if there is one. */
export async function nextDueEvent(em: EntityManager, provider: string, companyId: string): Promise<Date | undefined> {
  const event = await em
    .fork()
    .findOne(
      WebhookEvent,
      { provider, companyId, state: WebhookEventState.RECEIVED },
      { orderBy: { nextAttemptAt: 'asc' } },
    );
  return event?.nextAttemptAt;
}
