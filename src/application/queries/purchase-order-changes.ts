import type { EntityManager } from '@mikro-orm/postgresql';
import { z } from 'zod';

/** Whose changes: those of one purchase order, or of all that a conference has. */
export type ChangeScope = { readonly purchaseOrderId: string } | { readonly conferenceId: string };

/**
 * How far somebody was told. `since` is a snapshot: of what it does not see, nothing was told yet. Within a page also of
 * what `until` sees, up to the purchase order `lastId`.
 */
export interface ChangePosition {
  readonly since: string;
  readonly page?: { readonly until: string; readonly lastId: string };
  /** When `since` was taken, in seconds since 1970. */
  readonly takenAt: number;
}

/** A purchase order that changed, once or more often. */
export interface ChangeView {
  readonly purchaseOrderId: string;
  /** When it last did. */
  readonly at: Date;
  /** Who was told of this one was told so far. */
  readonly position: ChangePosition;
}

export interface ChangePage {
  readonly changes: readonly ChangeView[];
  readonly position: ChangePosition;
  readonly hasMore: boolean;
}

const PAGE_SIZE = 100;

/** Rows are kept for a day longer (`changesKeptMs`), because a change is dated a little before it is committed. */
const CURSOR_DAYS = 7;

/**
 * What changed behind a position, by purchase order. The snapshot of the statement is the next position: what it does
 * not see, because it is not committed yet, the next one finds, whatever its number.
 */
export async function findPurchaseOrderChanges(
  em: EntityManager,
  scope: ChangeScope,
  from: ChangePosition,
): Promise<ChangePage> {
  const [column, id] =
    'conferenceId' in scope ? ['conference_id', scope.conferenceId] : ['purchase_order_id', scope.purchaseOrderId];
  const rows = await em.execute<Row[]>(
    `select until::text, ${TAKEN_AT}, change.*
     from (select ?::pg_snapshot as since, coalesce(?::pg_snapshot, pg_current_snapshot()) as until) as span
     left join lateral (
       select purchase_order_id, max(changed_at) as at
       from purchase_order_change
       where ${column} = ? and purchase_order_id > ? and xid >= pg_snapshot_xmin(since)
         and not pg_visible_in_snapshot(xid, since) and pg_visible_in_snapshot(xid, until)
       group by purchase_order_id order by purchase_order_id limit ${PAGE_SIZE}
     ) as change on true`,
    [from.since, from.page?.until ?? null, id, from.page?.lastId ?? ''],
  );
  return toPage(from, rows);
}

/** Where somebody begins who was told nothing yet. */
export async function currentChangePosition(em: EntityManager): Promise<ChangePosition> {
  const [row] = await em.execute<[Row]>(`select pg_current_snapshot()::text as until, ${TAKEN_AT}`);
  return { since: row.until, takenAt: row.taken_at };
}

const TAKEN_AT = 'floor(extract(epoch from now()))::int as taken_at';

interface Row {
  readonly until: string;
  readonly taken_at: number;
  readonly purchase_order_id: string | null;
  readonly at: Date | string;
}

function toPage(from: ChangePosition, rows: readonly Row[]): ChangePage {
  const found = rows.flatMap(({ purchase_order_id: id, at, until }) => (id === null ? [] : [{ id, at, until }]));
  const hasMore = found.length === PAGE_SIZE;
  const changes = found.map(({ id, at, until }) => ({
    purchaseOrderId: id,
    at: new Date(at),
    position: { since: from.since, takenAt: from.takenAt, page: { until, lastId: id } },
  }));
  const last = changes.at(-1);
  if (hasMore && last) return { changes, position: last.position, hasMore };
  const [{ until = from.since, taken_at: takenAt = from.takenAt } = {}] = rows;
  const position = { since: until, takenAt };
  return { changes: [...changes.slice(0, -1), ...(last ? [{ ...last, position }] : [])], position, hasMore };
}

const SNAPSHOT = /^(\d{1,19}):(\d{1,19}):((?:\d{1,19}(?:,\d{1,19}){0,2000})?)$/;
const snapshot = z.string().refine(isSnapshot);
/** The end of the year 9999, which PostgreSQL still takes for a time. */
const LAST_SECOND = 253_402_300_799;

const cursorSchema = z.tuple([
  z.literal(1),
  z.int().nonnegative().max(LAST_SECOND),
  snapshot,
  z.object({ until: snapshot, lastId: z.string().regex(/^\w{1,100}$/) }).optional(),
]);

/** As PostgreSQL reads snapshots: the running transactions rise from xmin on and stay below xmax. */
function isSnapshot(text: string): boolean {
  const [, xmin = '0', end = '0', running = ''] = SNAPSHOT.exec(text) ?? [];
  const xmax = BigInt(end);
  let last = BigInt(xmin);
  if (last === 0n || last > xmax) return false;
  for (const xid of running
    .split(',')
    .filter((part) => part !== '')
    .map(BigInt)) {
    if (xid < last || xid >= xmax) return false;
    last = xid;
  }
  return true;
}

export function writeChangeCursor({ takenAt, since, page }: ChangePosition): string {
  return Buffer.from(JSON.stringify([1, takenAt, since, ...(page ? [page] : [])])).toString('base64url');
}

/** The position that a cursor stands for; undefined when it is none of ours, of another database, or too old. */
export async function readChangeCursor(em: EntityManager, cursor: string): Promise<ChangePosition | undefined> {
  const position = parseCursor(cursor);
  if (!position) return undefined;
  const [{ is_usable: isUsable }] = await em.execute<[{ is_usable: boolean }]>(
    `select pg_snapshot_xmax(?::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot())
       and to_timestamp(?) between now() - interval '${CURSOR_DAYS} days' and now() as is_usable`,
    [position.page?.until ?? position.since, position.takenAt],
  );
  return isUsable ? position : undefined;
}

function parseCursor(cursor: string): ChangePosition | undefined {
  try {
    const [, takenAt, since, page] = cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    return { since, takenAt, ...(page && { page }) };
  } catch {
    return undefined;
  }
}
