import type { SimulatorClock } from '../../common/clock.js';
import { EventQueue } from '../../common/event-queue.js';
import type { Change } from '../books/work.js';
import { type Behaviour, newBehaviours, type WebhookSwitches } from './behaviour.js';
import { NotificationDeliveries, type Target } from './deliveries.js';
import { eventOf, type WebhookEvent } from './payloads.js';

const MAX_EVENTS_PER_POST = 100;

/** Collects changes and posts them, signed, to the app's endpoint. */
export class WebhookSender {
  private readonly behaviours = newBehaviours();
  private readonly queue = new EventQueue<WebhookEvent>((realmId) => this.send(realmId));
  private readonly deliveries: NotificationDeliveries;
  private closed = false;

  constructor(
    clock: SimulatorClock,
    private target: Target,
  ) {
    this.deliveries = new NotificationDeliveries(clock, () => this.target);
  }

  /** With a realm: how that company's events are treated, and how many of them wait. */
  settings(realmId?: string): object {
    const counts = { queued: this.queue.count(realmId), underWay: this.deliveries.countUnderWay(realmId) };
    return { ...this.target, ...this.behaviours.of(realmId), ...counts };
  }

  configure(changes: WebhookSwitches): void {
    const { realmId, url, verifierToken, ...switches } = changes;
    this.target = { url: url ?? this.target.url, verifierToken: verifierToken ?? this.target.verifierToken };
    const given = Object.fromEntries(Object.entries(switches).filter(([, value]) => value !== undefined));
    this.behaviours.set(realmId, given);
    // A new delay also counts for what is already waiting.
    for (const waiting of this.queue.owners) {
      this.queue.unschedule(waiting);
      this.schedule(waiting);
    }
  }

  publish(changes: readonly Change[]): void {
    const [first] = changes;
    if (first === undefined || this.target.url === undefined || this.closed) return;
    const { realmId } = first;
    const kept = changes.slice(this.behaviours.takeDrops(realmId, changes.length));
    this.queue.add(realmId, kept.map(eventOf));
    this.schedule(realmId);
  }

  /** Sends what is queued at once and waits for every delivery, repeated attempts included. */
  async flush(realmId?: string): Promise<void> {
    const ready = (): string[] =>
      (realmId === undefined ? this.queue.owners : [realmId]).filter(
        (each) => this.queue.count(each) > 0 && !this.behaviours.of(each).paused,
      );
    do {
      for (const each of ready()) this.send(each);
      await this.deliveries.finished(realmId);
    } while (ready().length > 0);
  }

  list(realmId?: string): object[] {
    return this.deliveries.shown(realmId);
  }

  /** The company is treated like all others again. */
  useDefault(realmId: string): void {
    this.behaviours.forget(realmId);
    this.schedule(realmId);
  }

  /** Forgets a company's queue, deliveries and switches. */
  async forgetRealm(realmId: string): Promise<void> {
    this.queue.forget(realmId);
    this.behaviours.forget(realmId);
    await this.deliveries.forget(realmId);
  }

  /** Forgets queue, deliveries and switches; the endpoint stays. */
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

  private schedule(realmId: string): void {
    const { paused, delayMs } = this.behaviours.of(realmId);
    if (paused || this.queue.count(realmId) === 0 || this.queue.isScheduled(realmId)) return;
    this.queue.schedule(realmId, delayMs);
  }

  private send(realmId: string): void {
    const behaviour = this.behaviours.of(realmId);
    if (behaviour.paused) return;
    const events = this.takeAlong(realmId, behaviour);
    const size = behaviour.split ? 1 : MAX_EVENTS_PER_POST;
    const posts = Array.from({ length: Math.ceil(events.length / size) }, (_, index) =>
      events.slice(index * size, (index + 1) * size),
    );
    for (const each of behaviour.reorder ? posts.toReversed() : posts) this.start(each, behaviour);
  }

  /** Whoever mixes is sent together with all others that do. */
  private takeAlong(realmId: string, { mixed }: Behaviour): readonly WebhookEvent[] {
    const isTaken = (each: string): boolean => {
      if (each === realmId) return true;
      const other = this.behaviours.of(each);
      return mixed && other.mixed && !other.paused;
    };
    return this.queue.owners.filter(isTaken).flatMap((each) => this.queue.take(each));
  }

  private start(events: readonly WebhookEvent[], behaviour: Behaviour): void {
    const copies = behaviour.duplicate ? 2 : 1;
    const ordered = behaviour.reorder ? events.toReversed() : events;
    for (let copy = 0; copy < copies; copy += 1) this.deliveries.post(ordered, behaviour);
  }
}
