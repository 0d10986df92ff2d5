import type { EntityManager } from '@mikro-orm/postgresql';
import { AuditEvent } from '../domain/audit/audit-event.entity.js';
import type { UseCaseContext } from './context.js';

/** A change worth remembering. `before` and `after` hold what changed, amounts as decimal text; never a secret. */
export interface AuditEntry {
  readonly action: string;
  readonly subject: string;
  readonly before?: Record<string, unknown>;
  readonly after?: Record<string, unknown>;
}

/** Adds an audit event to the caller's transaction, so that the change and its trace are kept or lost together. */
export function audit(tx: EntityManager, { clock, ids, actor }: UseCaseContext, entry: AuditEntry): void {
  tx.create(AuditEvent, {
    id: ids.next('aud'),
    actor: actor.name,
    action: entry.action,
    subject: entry.subject,
    before: entry.before ?? null,
    after: entry.after ?? null,
    occurredAt: clock.now(),
  });
}
