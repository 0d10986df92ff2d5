import { randomUUID } from 'node:crypto';
import type { SimulatorClock } from '../../common/clock.js';
import { Deliveries, type Delivery } from '../../common/deliveries.js';
import { EventQueue } from '../../common/event-queue.js';
import { post } from '../../common/post.js';
import type { WebhookEndpoint } from '../account-settings.js';
import type { Account, StripeEvent } from '../books/model.js';
import { toJson } from '../http/answer.js';
import { isOfType, presentEvent } from '../resources/events.js';
import { type Behaviour, newBehaviours, type WebhookSwitches } from './behaviour.js';
import { signatureOf } from './signature.js';

/** Less patient than the provider, so that a test does not wait. */
const TIMEOUT_MS = 10_000;

interface EventDelivery extends Delivery {
  readonly at: string;
  readonly url: string;
  readonly eventId: string;
  readonly type: string;
}

/** Posts events, signed, to the endpoints of their account: one post an event and endpoint. */
export class WebhookSender {
  private readonly behaviours = newBehaviours();
  private readonly queue = new EventQueue<StripeEvent>((accountId) => this.send(accountId));
  private readonly deliveries = new Deliveries<EventDelivery>();
  private closed = false;

  constructor(
    private readonly clock: SimulatorClock,
    private readonly accounts: ReadonlyMap<string, Account>,
  ) {}

  /** With an account: how its events are treated, and how many of them wait. */
  settings(accountId?: string): object {
    const counts = { queued: this.queue.count(accountId), underWay: this.deliveries.countUnderWay(accountId) };
    return { ...this.behaviours.of(accountId), ...counts };
  }

  configure({ accountId, ...switches }: WebhookSwitches): void {
    this.behaviours.set(
      accountId,
      Object.fromEntries(Object.entries(switches).filter(([, value]) => value !== undefined)),
    );
    // A new delay also counts for what is already waiting.
    for (const waiting of this.queue.owners) {
      this.queue.unschedule(waiting);
      this.schedule(waiting);
    }
  }

  publish({ settings: { accountId, webhooks } }: Account, events: readonly StripeEvent[]): void {
    if (events.length === 0 || webhooks.length === 0 || this.closed) return;
    this.queue.add(accountId, events.slice(this.behaviours.takeDrops(accountId, events.length)));
    this.schedule(accountId);
  }

  /** Sends what is queued at once and waits for every delivery, repeated attempts included. */
  async flush(accountId?: string): Promise<void> {
    const ready = (): string[] =>
      (accountId === undefined ? this.queue.owners : [accountId]).filter(
        (each) => this.queue.count(each) > 0 && !this.behaviours.of(each).paused,
      );
    do {
      for (const each of ready()) this.send(each);
      await this.deliveries.finished(accountId);
    } while (ready().length > 0);
  }

  list(accountId?: string): object[] {
    return this.deliveries.list(accountId).map(({ owners, ...shown }) => ({ ...shown, accountId: owners[0] }));
  }

  /** The account is treated like all others again. */
  useDefault(accountId: string): void {
    this.behaviours.forget(accountId);
    this.schedule(accountId);
  }

  /** Forgets an account's queue, deliveries and switches. */
  async forgetAccount(accountId: string): Promise<void> {
    this.queue.forget(accountId);
    this.behaviours.forget(accountId);
    await this.deliveries.forget(accountId);
  }

  /** Forgets queue, deliveries and switches; the endpoints stay. */
  async reset(): Promise<void> {
    this.queue.clear();
    this.behaviours.reset();
    await this.deliveries.forget(undefined);
  }

  /** Ends every pending delivery and timer. */
  async close(): Promise<void> {
    this.closed = true;
    await this.reset();
  }

  private schedule(accountId: string): void {
    const { paused, delayMs } = this.behaviours.of(accountId);
    if (paused || this.queue.count(accountId) === 0 || this.queue.isScheduled(accountId)) return;
    this.queue.schedule(accountId, delayMs);
  }

  private send(accountId: string): void {
    const behaviour = this.behaviours.of(accountId);
    const account = this.accounts.get(accountId);
    if (behaviour.paused || account === undefined) return;
    const events = this.queue.take(accountId);
    for (const event of behaviour.reorder ? events.toReversed() : events) {
      for (const endpoint of account.settings.webhooks) {
        if (endpoint.enabledEvents.some((wanted) => isOfType(event.type, wanted)))
          this.start(account, event, endpoint, behaviour);
      }
    }
  }

  private start(account: Account, event: StripeEvent, { url, secret }: WebhookEndpoint, behaviour: Behaviour): void {
    const { settings } = account;
    const body = toJson(presentEvent({ settings }, event));
    const copies = behaviour.duplicate ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const delivery: EventDelivery = {
        id: randomUUID(),
        at: new Date(this.clock.nowAt(account)).toISOString(),
        owners: [settings.accountId],
        url,
        eventId: event.id,
        type: event.type,
        attempts: [],
        status: 'pending',
      };
      this.deliveries.start(delivery, behaviour.retryMs, (stop) => {
        const signature = signatureOf(body, secret, this.clock.nowAt(account));
        return post(new URL(url), webhookHeaders(body, signature), body, { timeoutMs: TIMEOUT_MS, stop });
      });
    }
  }
}

function webhookHeaders(body: string, signature: string): Record<string, string> {
  return {
    accept: '*/*; q=0.5, application/xml',
    'cache-control': 'no-cache',
    'content-type': 'application/json; charset=utf-8',
    'content-length': `${Buffer.byteLength(body)}`,
    'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
    'stripe-signature': signature,
  };
}
