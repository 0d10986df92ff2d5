import type { JsonObject, StripeEvent } from '../books/model.js';
import type { Work } from '../books/work.js';
import { resourceMissing } from '../errors.js';
import { isInRange, list, paging, range, text } from '../params.js';
import { type Endpoint, endpoint } from './endpoint.js';
import { newestFirst, pageOf } from './pages.js';

export const API_VERSION = '2026-10-28.endive';

/** How far back events can be had. */
const KEPT_SECONDS = 30 * 24 * 3600;

export const eventEndpoints: readonly Endpoint[] = [
  endpoint('GET', '/v1/events', {
    takes: { ...paging, type: text().optional(), types: list(text(), 20).optional(), created: range.optional() },
    returns: 'event',
    returnsList: true,
    run: (work, params) =>
      pageOf(params, {
        url: '/v1/events',
        kind: 'event',
        all: newestFirst(work.books.events).filter((event) => isKept(work, event)),
        isWanted: (event) =>
          (params.type === undefined || isOfType(event.type, params.type)) &&
          (params.types === undefined || params.types.some((type) => isOfType(event.type, type))) &&
          isInRange(event.created, params.created),
        present: (event) => presentEvent(work, event),
      }),
  }),
  endpoint('GET', '/v1/events/:id', {
    takes: {},
    returns: 'event',
    run: (work, _params, id) => {
      const event = work.books.events.get(id);
      if (event === undefined || !isKept(work, event)) throw resourceMissing('event', id);
      return presentEvent(work, event);
    },
  }),
];

function isKept(work: Work, event: StripeEvent): boolean {
  return event.created > work.seconds - KEPT_SECONDS;
}

/** `invoice.*` stands for all types that begin so. */
export function isOfType(type: string, wanted: string): boolean {
  return wanted.endsWith('*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted;
}

export function presentEvent({ settings }: Pick<Work, 'settings'>, event: StripeEvent): JsonObject {
  return {
    id: event.id,
    object: 'event',
    api_version: API_VERSION,
    created: event.created,
    data: { object: event.object, ...(event.previous === null ? {} : { previous_attributes: event.previous }) },
    livemode: settings.livemode,
    pending_webhooks: event.pendingWebhooks,
    request: event.request,
    type: event.type,
  };
}
