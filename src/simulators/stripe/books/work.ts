import { newId } from '../ids.js';
import type { Account, Books, JsonObject, Seconds, StripeEvent } from './model.js';

/** Which request an event came of; one of the bookkeeper's has neither. */
export interface Cause {
  readonly requestId: string | null;
  readonly idempotencyKey: string | null;
}

const NO_REQUEST: Cause = { requestId: null, idempotencyKey: null };

/** One request's work on one account's books: a single moment in time and the events to announce afterwards. */
export class Work {
  readonly events: StripeEvent[] = [];

  constructor(
    readonly account: Account,
    /** The moment to the millisecond; the books keep whole seconds. */
    readonly now: number,
    private readonly cause: Cause = NO_REQUEST,
  ) {}

  get books(): Books {
    return this.account.books;
  }

  get settings() {
    return this.account.settings;
  }

  get seconds(): Seconds {
    return Math.trunc(this.now / 1000);
  }

  /** Counts a new object and keeps it. */
  add<T extends { readonly id: string }>(kind: keyof Books & string, list: Map<string, T>, object: T): T {
    list.set(object.id, object);
    this.books.created.set(kind, (this.books.created.get(kind) ?? 0) + 1);
    return object;
  }

  /** `object` is the wire form, which nothing changes afterwards. */
  emit(type: string, object: JsonObject, previous: JsonObject | null = null): void {
    const event: StripeEvent = {
      id: newId('evt'),
      created: this.seconds,
      type,
      object,
      previous,
      request: { id: this.cause.requestId, idempotency_key: this.cause.idempotencyKey },
      pendingWebhooks: this.settings.webhooks.length,
    };
    this.books.events.set(event.id, event);
    this.events.push(event);
  }
}
