import type { EntityManager } from '@mikro-orm/postgresql';
import type { ActorIdentity, ActorKind } from '../../domain/audit/actor.js';
import type { PurchaseOrderAction } from '../../domain/audit/purchase-order-action.js';
import type { InvoiceProvider } from '../../domain/invoice/invoice.status.js';
import { type Page, PageRequestError, type PageWindow, type Position, toPage } from './page.js';

/** Something that happened to a purchase order. */
export interface PurchaseOrderEventView {
  readonly purchaseOrderId: string;
  readonly position: number;
  readonly at: Date;
  readonly action: PurchaseOrderAction;
  readonly actor: ActorIdentity;
  readonly changes: readonly FactChange[];
  /** Of the invoice that it is about, as far as it is about one. */
  readonly provider: InvoiceProvider | null;
  readonly providerInvoiceId: string | null;
  /** Of the payments and credits of the provider that it is about. */
  readonly providerPaymentIds: readonly string[];
  readonly providerRequestId: string | null;
}

/** A fact before and after; null: it was not there, or is not told. */
export interface FactChange {
  readonly field: string;
  readonly before: string | null;
  readonly after: string | null;
}

export interface HistoryRequest {
  readonly purchaseOrderId: string;
  readonly window: PageWindow;
}

/**
 * A page of the history of each of these orders, newest first, in their order. One statement, as long as all ask for the
 * same page, as the orders of one list do.
 */
export async function findPurchaseOrderHistories(
  em: EntityManager,
  requests: readonly HistoryRequest[],
): Promise<(Page<PurchaseOrderEventView> | Error)[]> {
  const pages = new Map<HistoryRequest, Page<PurchaseOrderEventView> | Error>();
  for (const group of Map.groupBy(requests, ({ window }) => JSON.stringify(window)).values()) {
    const [{ window }] = group as [HistoryRequest];
    const sound = group.filter((request) => isWithin(request));
    const rows = sound.length > 0 ? await readWindows(em, idsOf(sound), window) : [];
    const byOrder = Map.groupBy(rows.map(toView), ({ purchaseOrderId }) => purchaseOrderId);
    for (const request of group) {
      const events = byOrder.get(request.purchaseOrderId) ?? [];
      pages.set(request, sound.includes(request) ? toPage(events, window, positionOf) : FOREIGN_CURSOR);
    }
  }
  return requests.map((request) => pages.get(request) ?? FOREIGN_CURSOR);
}

/** How many events the history of each of these orders has, in their order. Positions have no gaps. */
export async function countPurchaseOrderEvents(em: EntityManager, ids: readonly string[]): Promise<number[]> {
  const rows = await em.execute<{ subject: string; count: number }[]>(
    'select subject, max(position) as count from audit_event where subject in (?) group by subject',
    [ids],
  );
  const counts = new Map(rows.map(({ subject, count }) => [subject, count]));
  return ids.map((id) => counts.get(id) ?? 0);
}

const FOREIGN_CURSOR = new PageRequestError('This cursor belongs to another list.');

/** At most nine digits: what is longer is no `integer`, at which PostgreSQL would fail. */
const POSITION = /^\d{1,9}$/;

function isWithin({ purchaseOrderId, window: { after, before } }: HistoryRequest): boolean {
  const belongs = (cursor: Position | undefined) =>
    cursor === undefined || (cursor[1] === purchaseOrderId && POSITION.test(cursor[0]));
  return belongs(after) && belongs(before);
}

function positionOf({ position, purchaseOrderId }: PurchaseOrderEventView): Position {
  return [String(position), purchaseOrderId];
}

function idsOf(requests: readonly HistoryRequest[]): string[] {
  return requests.map(({ purchaseOrderId }) => purchaseOrderId);
}

interface Row {
  readonly subject: string;
  readonly position: number;
  readonly occurred_at: Date | string;
  readonly action: PurchaseOrderAction;
  readonly actor_id: string;
  readonly actor: string;
  readonly actor_kind: ActorKind;
  readonly before: Facts | null;
  readonly after: Facts | null;
  readonly provider_request_id: string | null;
  readonly provider: InvoiceProvider | null;
}

type Facts = Readonly<Record<string, unknown>>;

async function readWindows(em: EntityManager, ids: readonly string[], window: PageWindow): Promise<Row[]> {
  const bounds = [
    ...(window.after ? [{ sql: 'and position < ?::int', position: window.after[0] }] : []),
    ...(window.before ? [{ sql: 'and position > ?::int', position: window.before[0] }] : []),
  ];
  const direction = window.isBackward ? 'asc' : 'desc';
  return em.execute<Row[]>(
    `select event.*,
            (select provider from invoice where invoice.purchase_order_id = purchase_order.id
               and external_id = coalesce(event.after ->> 'invoice', event.before ->> 'invoice') limit 1) as provider
     from purchase_order
     cross join lateral (
       select subject, position, occurred_at, action, actor_id, actor, actor_kind, before, after, provider_request_id
       from audit_event where subject = purchase_order.id ${bounds.map(({ sql }) => sql).join(' ')}
       order by position ${direction} limit ?) as event
     where purchase_order.id in (?)
     order by event.subject, event.position ${direction}`,
    [...bounds.map(({ position }) => position), window.size + 1, ids],
  );
}

function toView(row: Row): PurchaseOrderEventView {
  const { before, after } = row;
  return {
    purchaseOrderId: row.subject,
    position: row.position,
    at: new Date(row.occurred_at),
    action: row.action,
    actor: { id: row.actor_id, name: row.actor, kind: row.actor_kind },
    changes: changesOf(before ?? {}, after ?? {}),
    provider: row.provider,
    providerInvoiceId: textOf(after?.invoice ?? before?.invoice),
    providerPaymentIds: [
      ...new Set([before, after].flatMap((facts) => [...keysOf(facts?.payments), ...keysOf(facts?.credits)])),
    ],
    providerRequestId: row.provider_request_id,
  };
}

/** They say which invoice it is about, and are told apart, unless it is they that changed. */
const IDENTIFYING = ['invoice', 'provider'];

function changesOf(before: Facts, after: Facts): FactChange[] {
  const [former, latter] = [new Map(flattened(before)), new Map(flattened(after))];
  const fields = [...new Set([...former.keys(), ...latter.keys()])];
  return fields
    .filter((field) => former.has(field) || !IDENTIFYING.includes(field))
    .map((field) => ({ field, before: former.get(field) ?? null, after: latter.get(field) ?? null }))
    .filter((change) => change.before !== change.after);
}

/** Facts within facts get the path that leads to them, as `payments.123`. */
function flattened(facts: Facts, path = ''): [string, string][] {
  return Object.entries(facts).flatMap(([name, value]) => {
    if (value === null) return [];
    if (typeof value === 'object') return flattened(value as Facts, `${path}${name}.`);
    return [[`${path}${name}`, String(value)] as [string, string]];
  });
}

function keysOf(value: unknown): string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
