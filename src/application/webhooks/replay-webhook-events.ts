import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { WebhookEvent, WebhookEventState } from '../../domain/webhook/webhook-event.entity.js';
import { requireAdministrator } from '../access/permissions.js';
import { audit } from '../audit.js';
import type { UseCaseContext } from '../context.js';
import type { Failure } from '../outcome.js';
import type { JobQueue } from '../ports/jobs.js';
import { inTransaction } from '../transaction.js';

export type ReplayWebhookEventsCode = 'INVALID' | 'NOT_FOUND' | 'IN_PROGRESS' | 'UNREADABLE';

export interface ReplayWebhookEvents {
  readonly ids?: readonly string[] | null;
  /** The oldest dead ones of this company, as many as one call may replay. */
  readonly deadOfRealmId?: string | null;
}

export interface ReplayOutcome {
  /** Null when nothing was tried. */
  readonly ids: readonly string[] | null;
  /** More events of that company are dead. */
  readonly hasMore: boolean;
  readonly failures: readonly Failure<ReplayWebhookEventsCode>[];
}

/** Each replay leaves a row in the audit trail, so a call is as bounded as a page. */
const MAX_EVENTS = 100;

/**
 * Has events tried again at once, as if they had just come. Whatever became of them, that is harmless: an event makes
 * the worker read what the provider holds now, and reading it again books nothing twice. For administrators.
 */
export async function replayWebhookEvents(
  context: UseCaseContext & { readonly jobs: JobQueue },
  input: ReplayWebhookEvents,
): Promise<ReplayOutcome> {
  requireAdministrator(context.actor);
  const problem = problemOf(input);
  if (problem) return { ids: null, hasMore: false, failures: [problem] };
  const { events, hasMore, failures } = await inTransaction(context.em, async (tx) => {
    const choice = await chooseEvents(tx, input);
    for (const event of choice.events) replay(tx, context, event);
    return choice;
  });
  // After the commit: a worker that is woken before does not see the change.
  const companies = new Map(
    events.map(({ provider, companyId }) => [`${provider}:${companyId}`, { provider, companyId }]),
  );
  for (const { provider, companyId } of companies.values()) context.jobs.wakeWebhookWorker(provider, companyId);
  return { ids: events.map((event) => event.id), hasMore, failures };
}

function problemOf({ ids, deadOfRealmId }: ReplayWebhookEvents): Failure<'INVALID'> | undefined {
  if ((ids == null) === (deadOfRealmId == null)) {
    return { code: 'INVALID', message: 'Give either "ids" or "deadOfRealmId".' };
  }
  if (ids == null || (ids.length >= 1 && ids.length <= MAX_EVENTS)) return undefined;
  const message = `Give 1 to ${MAX_EVENTS} ids; these are ${ids.length}.`;
  return { code: 'INVALID', message, path: ['ids'] };
}

interface Choice {
  readonly events: readonly WebhookEvent[];
  readonly hasMore: boolean;
  readonly failures: readonly Failure<ReplayWebhookEventsCode>[];
}

async function chooseEvents(tx: EntityManager, { ids, deadOfRealmId }: ReplayWebhookEvents): Promise<Choice> {
  const options = { lockMode: LockMode.PESSIMISTIC_WRITE, orderBy: { receivedAt: 'asc', id: 'asc' } } as const;
  if (ids == null) {
    const dead = { companyId: String(deadOfRealmId), state: WebhookEventState.DEAD };
    const events = await tx.find(WebhookEvent, dead, { ...options, limit: MAX_EVENTS + 1 });
    return { events: events.slice(0, MAX_EVENTS), hasMore: events.length > MAX_EVENTS, failures: [] };
  }
  const wanted = [...new Set(ids)];
  const found = await tx.find(WebhookEvent, { id: { $in: wanted } }, options);
  const byId = new Map(found.map((event) => [event.id, event]));
  const failures = wanted.flatMap((id) => {
    const problem = whyNot(byId.get(id));
    return problem ? [{ ...problem, path: ['ids', String(ids.indexOf(id))] }] : [];
  });
  return { events: found.filter((event) => !whyNot(event)), hasMore: false, failures };
}

function whyNot(event: WebhookEvent | undefined): Failure<ReplayWebhookEventsCode> | undefined {
  if (!event) return { code: 'NOT_FOUND', message: 'There is no event with this id; finished ones are kept 90 days.' };
  if (event.state === WebhookEventState.PROCESSING) {
    return { code: 'IN_PROGRESS', message: 'A worker is at work on this event right now: see what becomes of it.' };
  }
  if (event.companyId === '' || event.entityId === '') {
    return {
      code: 'UNREADABLE',
      message:
        'This notification could not be read, so it names nothing to look at. Use syncQboInvoiceStatus or syncStripeInvoiceStatus instead.',
    };
  }
  return undefined;
}

function replay(tx: EntityManager, context: UseCaseContext, event: WebhookEvent): void {
  const { id, state, attempts, lastError } = event;
  audit(tx, context, {
    action: 'webhook_event.replayed',
    subject: id,
    before: { state, attempts, lastError },
    after: { state: WebhookEventState.RECEIVED },
  });
  // Without a number no earlier reading counts for it.
  const fresh = {
    attempts: 0,
    lastError: null,
    processedAt: null,
    arrivalNumber: null,
    nextAttemptAt: context.clock.now(),
  };
  Object.assign(event, { state: WebhookEventState.RECEIVED, ...fresh });
}
