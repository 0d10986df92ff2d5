import type { JsonObject } from '../books/model.js';
import { resourceMissing } from '../errors.js';

export interface Paging {
  readonly limit: number;
  readonly starting_after?: string | undefined;
  readonly ending_before?: string | undefined;
}

interface Listing<T> {
  readonly url: string;
  readonly kind: string;
  /** All there are, in the order of the list. */
  readonly all: readonly T[];
  readonly isWanted?: (object: T) => boolean;
  readonly present: (object: T) => JsonObject;
}

/** One page of a list. A cursor is a place in the whole list, whatever is asked for. */
export function pageOf<T extends { readonly id: string }>(paging: Paging, listing: Listing<T>): JsonObject {
  const { limit, starting_after: after, ending_before: before } = paging;
  const { all, isWanted = () => true, present, url } = listing;
  const from = after === undefined ? 0 : placeOf(after, 'starting_after', listing) + 1;
  const to = before === undefined ? all.length : placeOf(before, 'ending_before', listing);
  const found = all.slice(from, to).filter(isWanted);
  const page = before === undefined ? found.slice(0, limit) : found.slice(-limit);
  return { object: 'list', data: page.map(present), has_more: found.length > page.length, url };
}

function placeOf<T extends { readonly id: string }>(id: string, param: string, { all, kind }: Listing<T>): number {
  const place = all.findIndex((object) => object.id === id);
  if (place < 0) throw resourceMissing(kind, id, param, 400);
  return place;
}

/** Lists show the newest first. */
export function newestFirst<T>(objects: ReadonlyMap<string, T>): T[] {
  return [...objects.values()].reverse();
}
