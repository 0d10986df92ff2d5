import type { EntityManager } from '@mikro-orm/postgresql';
import { AuditEvent } from '../domain/audit/audit-event.entity.js';
import type { PurchaseOrderAction } from '../domain/audit/purchase-order-action.js';
import type { UseCaseContext } from './context.js';
import type { ProviderTrace } from './ports/provider.js';

/** What happens to anything but purchase orders. */
type OtherAction = `${'api_key' | 'conference' | 'qbo_connection' | 'stripe_connection' | 'webhook_event'}.${string}`;

/** A change worth remembering. `before` and `after` hold what changed, amounts as decimal text; never a secret. */
export interface AuditEntry {
  readonly action: `${PurchaseOrderAction}` | OtherAction;
  readonly subject: string;
  readonly before?: Record<string, unknown>;
  readonly after?: Record<string, unknown>;
  /** Of the provider's answer that caused the change, if one did. */
  readonly trace?: ProviderTrace | undefined;
}

/**
 * Adds an audit event to the caller's transaction, so that the change and its trace are kept or lost together. About a
 * purchase order only under its lock: the database then extends its chain.
 */
export function audit(tx: EntityManager, { clock, ids, actor }: UseCaseContext, entry: AuditEntry): void {
  tx.create(AuditEvent, {
    id: ids.next('aud'),
    actorId: actor.id,
    actor: actor.name,
    actorKind: actor.kind,
    action: entry.action,
    subject: entry.subject,
    before: entry.before ?? null,
    after: entry.after ?? null,
    providerRequestId: entry.trace?.requestId ?? null,
    occurredAt: clock.now(),
  });
}
