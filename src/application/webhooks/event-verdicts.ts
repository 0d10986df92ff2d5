import { type InvoiceProvider, PROVIDER_NAMES } from '../../domain/invoice/invoice.status.js';
import { OperationKind, OperationState, ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import { type WebhookEvent, WebhookEventState } from '../../domain/webhook/webhook-event.entity.js';
import type { UseCaseContext } from '../context.js';
import { connectionRefs, type OperationConnection } from '../operations/provider-operations.js';
import type { ProviderFailure } from '../ports/provider.js';
import type { Verdict } from './event-states.js';

type VerdictContext = Pick<UseCaseContext, 'em' | 'clock' | 'waits'>;

/** Something that changed at a provider, and the events that say so. */
export interface ChangedObject {
  readonly entity: string;
  readonly externalId: string;
  readonly events: readonly WebhookEvent[];
}

/** Events about the same object are one piece of work: each only says that it changed. */
export function changedObjects(events: readonly WebhookEvent[]): ChangedObject[] {
  const byObject = Map.groupBy(events, ({ entity, entityId }) => `${entity} ${entityId}`);
  return [...byObject.values()].flatMap((group) => {
    const [first] = group;
    return first ? [{ entity: first.entity, externalId: first.entityId, events: group }] : [];
  });
}

const WORST_FIRST: readonly Verdict['state'][] = [
  'FAILED',
  'POSTPONED',
  WebhookEventState.DONE,
  WebhookEventState.IGNORED,
];

/** What counts when several things became of the same event. */
export function worstOf(verdicts: readonly Verdict[]): Verdict | undefined {
  return verdicts.toSorted((left, right) => WORST_FIRST.indexOf(left.state) - WORST_FIRST.indexOf(right.state))[0];
}

/** The provider could not be asked, or refused to say. */
export function failed(context: VerdictContext, failure: ProviderFailure): Verdict {
  if (failure.kind === 'reconnect_required') return untilReconnected(context, failure.message);
  if (failure.kind === 'unavailable' && failure.retryAt) {
    const ms = Math.max(0, failure.retryAt.getTime() - context.clock.now().getTime());
    return { state: 'POSTPONED', ms, reason: failure.message };
  }
  return { state: 'FAILED', reason: failure.message };
}

/** Only a person can make the connection work again. */
export function untilReconnected({ waits }: VerdictContext, reason: string): Verdict {
  return { state: 'POSTPONED', ms: waits.eventUntilReconnectedMs, reason };
}

/** What to say of a connection that is known to be without authorisation. */
export function mustBeRenewed(provider: `${InvoiceProvider}`): string {
  return `The connection to ${PROVIDER_NAMES[provider]} must be renewed first.`;
}

/** Of an object that concerns no invoice of ours; one may appear. */
export function withoutInvoice(context: VerdictContext, mayAppear: boolean): Verdict {
  if (mayAppear) return untilRecorded(context.waits.eventUntilRecordedMs);
  return { state: WebhookEventState.IGNORED, reason: 'It concerns no invoice of a purchase order.' };
}

/** Of an object that concerns an invoice whose creation is not recorded yet. */
export function untilRecorded(ms: number): Verdict {
  return { state: 'POSTPONED', ms, reason: 'An invoice is being created.' };
}

/** Our own invoice's event can arrive before its creation is recorded. */
export async function isInvoiceBeingCreated(
  context: VerdictContext,
  connection: OperationConnection,
): Promise<boolean> {
  const since = new Date(context.clock.now().getTime() - context.waits.replayWindowMs);
  const open = await context.em.fork().count(ProviderOperation, {
    kind: OperationKind.CREATE_INVOICE,
    ...connectionRefs(connection),
    state: { $in: [OperationState.IN_FLIGHT, OperationState.UNKNOWN] },
    updatedAt: { $gt: since },
  });
  return open > 0;
}
