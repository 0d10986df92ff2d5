import { z } from 'zod';

/** The four arguments of a Relay connection. */
export interface PageRequest {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly last?: number | null;
  readonly before?: string | null;
}

export interface Page<T> {
  readonly items: readonly { readonly item: T; readonly cursor: string }[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/** The arguments of a list make no sense; the message says which and what to do. */
export class PageRequestError extends Error {}

export const DEFAULT_PAGE_SIZE = 20;
export const MAX_PAGE_SIZE = 100;

/** A page request as SQL needs it: how many rows, which way, and from where. */
export interface PageWindow {
  readonly size: number;
  readonly isBackward: boolean;
  readonly after: Position | undefined;
  readonly before: Position | undefined;
}

/** Where a row stands in its order: the value it is sorted by, its id, and which order that is if there are several. */
export type Position = readonly [sortValue: string, id: string, ordering?: string];

export function readPageRequest(request: PageRequest): PageWindow {
  const { first, last } = request;
  if (first != null && last != null) throw new PageRequestError('Give "first" or "last", not both.');
  const size = first ?? last ?? DEFAULT_PAGE_SIZE;
  if (size < 1 || size > MAX_PAGE_SIZE) {
    throw new PageRequestError(`A page has 1 to ${MAX_PAGE_SIZE} items; ${size} were asked for.`);
  }
  return { size, isBackward: last != null, after: readCursor(request.after), before: readCursor(request.before) };
}

const name = z.string().regex(/^\w{1,100}$/);
const cursorSchema = z.tuple([z.literal(1), z.string().max(500), name, name.optional()]);

/** Cursors begin with a format version, so that a future format can tell old ones apart. */
export function writeCursor(position: Position): string {
  return Buffer.from(JSON.stringify([1, ...position])).toString('base64url');
}

function readCursor(cursor: string | null | undefined): Position | undefined {
  if (cursor == null) return undefined;
  try {
    const [, value, id, ordering] = cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    return ordering === undefined ? [value, id] : [value, id, ordering];
  } catch {
    throw new PageRequestError('This cursor is not one of ours: use an endCursor or startCursor from an earlier page.');
  }
}

/** Most clients ask for the items alone: a cursor is written when it is read. */
class PageItem<T> {
  readonly item: T;
  readonly #positionOf: (item: T) => Position;

  constructor(item: T, positionOf: (item: T) => Position) {
    this.item = item;
    this.#positionOf = positionOf;
  }

  get cursor(): string {
    return writeCursor(this.#positionOf(this.item));
  }
}

/** Cuts the rows of a window, which were asked for with one row more than its size, into a page. */
export function toPage<T>(rows: readonly T[], window: PageWindow, positionOf: (row: T) => Position): Page<T> {
  const hasMore = rows.length > window.size;
  const kept = rows.slice(0, window.size);
  const ordered = window.isBackward ? kept.toReversed() : kept;
  return {
    items: ordered.map((item) => new PageItem(item, positionOf)),
    hasNextPage: window.isBackward ? window.before !== undefined : hasMore,
    hasPreviousPage: window.isBackward ? hasMore : window.after !== undefined,
  };
}

/** Pages a list that is in memory already, such as the payments of one purchase order. */
export function pageOf<T>(rows: readonly T[], request: PageRequest, positionOf: (row: T) => Position): Page<T> {
  const window = readPageRequest(request);
  const start = window.after ? indexOf(rows, window.after, positionOf) + 1 : 0;
  const end = window.before ? indexOf(rows, window.before, positionOf) : rows.length;
  const between = rows.slice(start, Math.max(start, end));
  const directed = window.isBackward ? between.toReversed() : between;
  return toPage(directed.slice(0, window.size + 1), window, positionOf);
}

function indexOf<T>(rows: readonly T[], [, id]: Position, positionOf: (row: T) => Position): number {
  const index = rows.findIndex((row) => positionOf(row)[1] === id);
  if (index < 0) throw new PageRequestError('This cursor belongs to another list.');
  return index;
}
