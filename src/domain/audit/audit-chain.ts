import { createHash } from 'node:crypto';
import { PurchaseOrderAction } from './purchase-order-action.js';

/** An audit event as its row has it. `before` and `after` are the texts that PostgreSQL writes of their `jsonb`. */
export interface ChainedEvent {
  readonly id: string;
  readonly actorId: string;
  readonly actor: string;
  readonly actorKind: string;
  readonly action: string;
  readonly subject: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly providerRequestId: string | null;
  readonly occurredAt: Date;
  readonly position: number | null;
  readonly previousHash: string | null;
  readonly hash: string | null;
}

/**
 * What the hash of an event must be: SHA-256 over the array of everything else in its row, as PostgreSQL writes `jsonb`.
 * Made apart from the trigger that fills the row, so that an error of one shows in the other.
 */
export function hashOf(event: ChainedEvent): string {
  const { position, previousHash, id, actorId, actor, actorKind, action, subject } = event;
  const { before, after, providerRequestId, occurredAt } = event;
  const who = [actorId, actor, actorKind];
  const what = [action, subject, before, after, providerRequestId, occurredAt.toISOString()];
  const text = [position, previousHash, id, ...who, ...what].map((value) => JSON.stringify(value)).join(', ');
  return createHash('sha256').update(`[${text}]`).digest('hex');
}

/**
 * Why an event cannot be the next one of a chain; undefined when it is.
 *
 * @param previous the event before it; undefined at the beginning of the chain
 */
export function whyBroken(previous: ChainedEvent | undefined, event: ChainedEvent): string | undefined {
  const expected = (previous?.position ?? 0) + 1;
  const named = `event ${event.position} (${event.id})`;
  if (event.position === null) return `event ${event.id} has no place in the chain`;
  if (event.position > expected) return `event ${expected} is missing`;
  if (event.position < expected) return `${named} stands where another one does`;
  if (event.hash !== hashOf(event)) return `${named} is not as it was written`;
  if (event.previousHash !== (previous?.hash ?? null)) return `${named} was not written behind the one before it`;
  if (!previous && event.action !== PurchaseOrderAction.PURCHASE_ORDER_CREATED) return `${named} is not the creation`;
  return undefined;
}
