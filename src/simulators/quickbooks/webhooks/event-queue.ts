import type { WebhookEvent } from './payloads.js';

/** Events that wait to be sent, by company. Each company's timer runs by itself. */
export class EventQueue {
  private readonly waiting = new Map<string, WebhookEvent[]>();
  private readonly timers = new Map<string, NodeJS.Timeout>();

  constructor(private readonly due: (realmId: string) => void) {}

  get realms(): string[] {
    return [...this.waiting.keys()];
  }

  count(realmId: string | undefined): number {
    if (realmId !== undefined) return this.waiting.get(realmId)?.length ?? 0;
    return [...this.waiting.values()].reduce((sum, events) => sum + events.length, 0);
  }

  add(realmId: string, events: readonly WebhookEvent[]): void {
    if (events.length > 0) this.waiting.set(realmId, [...(this.waiting.get(realmId) ?? []), ...events]);
  }

  /** Takes all that wait for this company. */
  take(realmId: string): readonly WebhookEvent[] {
    const events = this.waiting.get(realmId) ?? [];
    this.forget(realmId);
    return events;
  }

  isScheduled(realmId: string): boolean {
    return this.timers.has(realmId);
  }

  schedule(realmId: string, delayMs: number): void {
    this.unschedule(realmId);
    const timer = setTimeout(() => {
      this.timers.delete(realmId);
      this.due(realmId);
    }, delayMs);
    this.timers.set(realmId, timer);
  }

  unschedule(realmId: string): void {
    clearTimeout(this.timers.get(realmId));
    this.timers.delete(realmId);
  }

  forget(realmId: string): void {
    this.unschedule(realmId);
    this.waiting.delete(realmId);
  }

  clear(): void {
    for (const realmId of this.timers.keys()) this.unschedule(realmId);
    this.waiting.clear();
  }
}
