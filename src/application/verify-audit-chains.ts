import { createHash } from 'node:crypto';
import { IsolationLevel } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { type ChainedEvent, whyBroken } from '../domain/audit/audit-chain.js';

/** What is wrong with a chain first; what comes after it proves nothing any more. */
export interface BrokenChain {
  readonly subject: string;
  readonly problem: string;
}

export interface AuditReport {
  readonly chains: number;
  readonly events: number;
  readonly broken: number;
  /** One for each of the given times, see `CheckpointDigest`. */
  readonly digests: readonly string[];
}

export interface AuditVerification {
  /** What was written up to each of these times is summed up. */
  readonly until: readonly Date[];
  readonly onBroken: (chain: BrokenChain) => void;
}

/**
 * Follows the chain of every purchase order from its first event to its last, as of one moment, computes every hash anew,
 * and looks for orders that have none. Needs as much memory for millions of events as for one.
 */
export async function verifyAuditChains(
  em: EntityManager,
  { until, onBroken }: AuditVerification,
): Promise<AuditReport> {
  const digests = until.map((time) => new CheckpointDigest(time));
  const found = { chains: 0, events: 0, broken: 0 };
  const read = async (tx: EntityManager): Promise<void> => {
    let previous: ChainedEvent | undefined;
    let isBroken = false;
    for await (const event of chainedEvents(tx)) {
      const isNext = event.subject === previous?.subject;
      if (!isNext) {
        found.chains += 1;
        isBroken = false;
      }
      found.events += 1;
      for (const digest of digests) digest.add(event);
      const problem = isBroken ? undefined : whyBroken(isNext ? previous : undefined, event);
      if (problem !== undefined) {
        isBroken = true;
        found.broken += 1;
        onBroken({ subject: event.subject, problem });
      }
      previous = event;
    }
    for await (const { id } of rowsOf<{ id: string }>(tx, 'unchained', UNCHAINED)) {
      found.broken += 1;
      onBroken({ subject: id, problem: 'there is no event of it' });
    }
  };
  await em.fork().transactional(read, { isolationLevel: IsolationLevel.REPEATABLE_READ, readOnly: true });
  return { ...found, digests: digests.map((digest) => digest.end()) };
}

/**
 * Sums up what was written up to a time: SHA-256 over the last hash that each chain had then, by which everything before
 * is known, too. Nothing that comes later changes it, so it tells when a chain lost its end or was written anew.
 */
class CheckpointDigest {
  readonly #until: Date;
  readonly #hash = createHash('sha256');
  #last: ChainedEvent | undefined;

  constructor(until: Date) {
    this.#until = until;
  }

  add(event: ChainedEvent): void {
    if (event.occurredAt > this.#until) return;
    if (event.subject !== this.#last?.subject) this.#closeChain();
    this.#last = event;
  }

  end(): string {
    this.#closeChain();
    return this.#hash.digest('hex');
  }

  #closeChain(): void {
    if (this.#last) this.#hash.update(`${this.#last.subject} ${this.#last.hash}\n`);
    this.#last = undefined;
  }
}

/** Every order has a chain, which begins with its creation. */
const UNCHAINED = `
  select id from purchase_order
  where not exists (select from audit_event where subject = purchase_order.id) order by id`;

/** One chain after the other, by position. What claims a place in a chain belongs to one, whatever it is about. */
const CHAINED = `
  select id, actor_id as "actorId", actor, actor_kind as "actorKind", action, subject, before::text, after::text,
         provider_request_id as "providerRequestId", occurred_at as "occurredAt",
         position, previous_hash as "previousHash", hash
  from audit_event where starts_with(subject, 'po_') or num_nonnulls(position, previous_hash, hash) > 0
  order by subject, position, id`;

interface EventRow extends Omit<ChainedEvent, 'occurredAt'> {
  readonly occurredAt: Date | string;
}

async function* chainedEvents(tx: EntityManager): AsyncGenerator<ChainedEvent> {
  for await (const row of rowsOf<EventRow>(tx, 'chained', CHAINED)) {
    yield { ...row, occurredAt: new Date(row.occurredAt) };
  }
}

const ROWS_PER_FETCH = 2000;

/** The rows of a query, however many, through a cursor of this name. */
async function* rowsOf<Row>(tx: EntityManager, cursor: string, query: string): AsyncGenerator<Row> {
  await tx.execute(`declare ${cursor} no scroll cursor for ${query}`);
  for (;;) {
    const rows = await tx.execute<Row[]>(`fetch ${ROWS_PER_FETCH} from ${cursor}`);
    yield* rows;
    if (rows.length < ROWS_PER_FETCH) return;
  }
}
