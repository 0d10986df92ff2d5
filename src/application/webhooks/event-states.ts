import { WebhookEvent, WebhookEventState } from '../../domain/webhook/webhook-event.entity.js';
import type { UseCaseContext } from '../context.js';
import type { Waits } from '../waits.js';

/** One run's share; the job comes back for the rest. */
const BATCH = 200;

/** After this many failures, which the back-off spreads over 19 hours, a person has to look. */
const MAX_ATTEMPTS = 20;

const LEFT_BEHIND = 'The worker ended while it was at work on this event.';

type StateContext = Pick<UseCaseContext, 'em' | 'clock' | 'waits'>;

/** What became of an event. */
export type Verdict =
  | { readonly state: WebhookEventState.DONE }
  | { readonly state: WebhookEventState.IGNORED; readonly reason: string }
  /** It waits, and such waiting never kills it. */
  | { readonly state: 'POSTPONED'; readonly ms: number; readonly reason: string }
  | { readonly state: 'FAILED'; readonly reason: string };

/**
 * Takes the events of a company that are due, in the order in which they came, and marks them as being worked on; at most
 * one run's share. Only for the holder of the company's lock: it knows that nobody else is at work, so events that are
 * still marked were left behind by a worker that died, and are taken again.
 *
 * That counts as a failure, because an event may be what killed the worker. After the second such death events are
 * taken one at a time: then the one that kills is alone with its attempts, and the others get past it.
 */
export async function takeDueEvents(
  { em, clock }: StateContext,
  provider: string,
  companyId: string,
): Promise<WebhookEvent[]> {
  const fork = em.fork();
  const rows = await fork.execute(
    `with waiting as (
       select id, state, attempts, received_at from webhook_event
       where provider = ? and company_id = ? and (state = 'PROCESSING' or state = 'RECEIVED' and next_attempt_at <= ?)
     ), share as (
       select id from waiting order by received_at, id
       limit case when exists (select from waiting where state = 'PROCESSING' and attempts >= 1) then 1 else ${BATCH} end
     ), taken as (
       update webhook_event set
         state = case when state = 'PROCESSING' and attempts + 1 >= ${MAX_ATTEMPTS} then 'DEAD' else 'PROCESSING' end,
         attempts = case state when 'PROCESSING' then attempts + 1 else attempts end,
         last_error = case state when 'PROCESSING' then '${LEFT_BEHIND}' else last_error end
       where id in (select id from share) and state in ('RECEIVED', 'PROCESSING') returning *
     )
     select * from taken where state = 'PROCESSING' order by received_at, id`,
    [provider, companyId, clock.now()],
  );
  return rows.map((row) => fork.map(WebhookEvent, row));
}

/**
 * Writes down what became of events that were worked on together. One that is no longer marked is left alone: a worker
 * that lost its lock finds it settled by the next one.
 */
export async function settleEvents(
  context: StateContext,
  events: readonly WebhookEvent[],
  verdict: Verdict,
): Promise<void> {
  // Those of one object may have failed a different number of times, and each dies of its own failures only.
  const attemptsOf = ({ attempts }: WebhookEvent) => (verdict.state === 'FAILED' ? attempts : 0);
  for (const [attempts, alike] of Map.groupBy(events, attemptsOf)) {
    const marked = { id: { $in: alike.map(({ id }) => id) }, state: WebhookEventState.PROCESSING };
    await context.em.fork().nativeUpdate(WebhookEvent, marked, changes(context, attempts, verdict));
  }
}

function changes(context: StateContext, attempts: number, verdict: Verdict): Partial<WebhookEvent> {
  const now = context.clock.now();
  switch (verdict.state) {
    case 'POSTPONED':
      return {
        state: WebhookEventState.RECEIVED,
        nextAttemptAt: new Date(now.getTime() + verdict.ms),
        lastError: verdict.reason,
      };
    case 'FAILED':
      return afterFailure(context, attempts + 1, verdict.reason);
    case WebhookEventState.IGNORED:
      return { state: verdict.state, lastError: verdict.reason, processedAt: now };
    case WebhookEventState.DONE:
      return { state: verdict.state, lastError: null, processedAt: now };
  }
}

function afterFailure({ clock, waits }: StateContext, attempts: number, lastError: string): Partial<WebhookEvent> {
  if (attempts >= MAX_ATTEMPTS) return { state: WebhookEventState.DEAD, attempts, lastError };
  const nextAttemptAt = new Date(clock.now().getTime() + backOffMs(waits, attempts));
  return { state: WebhookEventState.RECEIVED, attempts, lastError, nextAttemptAt };
}

function backOffMs({ eventBackOffMs, eventBackOffMaxMs }: Waits, attempts: number): number {
  return Math.min(eventBackOffMs * 2 ** (attempts - 1), eventBackOffMaxMs);
}
