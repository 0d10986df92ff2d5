import { WebhookEvent, WebhookEventState } from '../../domain/webhook/webhook-event.entity.js';
import type { UseCaseContext } from '../context.js';
import type { Waits } from '../waits.js';

/** One run's share; the job comes back for the rest. */
const BATCH = 200;

/** After this many failures, which the back-off spreads over 19 hours, a person has to look. */
const MAX_ATTEMPTS = 20;

type StateContext = Pick<UseCaseContext, 'em' | 'clock' | 'waits'>;

/** What became of an event. */
export type Verdict =
  | { readonly state: WebhookEventState.DONE }
  | { readonly state: WebhookEventState.IGNORED; readonly reason: string }
  /** It waits, and such waiting never kills it. */
  | { readonly state: 'POSTPONED'; readonly ms: number; readonly reason: string }
  | { readonly state: 'FAILED'; readonly reason: string };

/** The events of a company that are due now, in the order in which they came; at most one run's share. */
export async function takeDueEvents(
  { em, clock }: StateContext,
  provider: string,
  companyId: string,
): Promise<WebhookEvent[]> {
  return em
    .fork()
    .find(
      WebhookEvent,
      { provider, companyId, state: WebhookEventState.RECEIVED, nextAttemptAt: { $lte: clock.now() } },
      { orderBy: { receivedAt: 'asc', id: 'asc' }, limit: BATCH },
    );
}

/** Writes down what became of events that were worked on together. */
export async function settleEvents(
  context: StateContext,
  events: readonly WebhookEvent[],
  verdict: Verdict,
): Promise<void> {
  const ids = events.map((event) => event.id);
  const attempts = Math.max(...events.map((event) => event.attempts));
  await context.em.fork().nativeUpdate(WebhookEvent, { id: { $in: ids } }, changes(context, attempts, verdict));
}

function changes(context: StateContext, attempts: number, verdict: Verdict): Partial<WebhookEvent> {
  const now = context.clock.now();
  switch (verdict.state) {
    case 'POSTPONED':
      return { nextAttemptAt: new Date(now.getTime() + verdict.ms), lastError: verdict.reason };
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
  return { attempts, lastError, nextAttemptAt: new Date(clock.now().getTime() + backOffMs(waits, attempts)) };
}

function backOffMs({ eventBackOffMs, eventBackOffMaxMs }: Waits, attempts: number): number {
  return Math.min(eventBackOffMs * 2 ** (attempts - 1), eventBackOffMaxMs);
}
