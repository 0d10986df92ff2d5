/** Events that wait to be sent, by company or account. Each owner's timer runs by itself. */
export class EventQueue<Event> {
  private readonly waiting = new Map<string, Event[]>();
  private readonly timers = new Map<string, NodeJS.Timeout>();

  constructor(private readonly due: (owner: string) => void) {}

  get owners(): string[] {
    return [...this.waiting.keys()];
  }

  count(owner: string | undefined): number {
    if (owner !== undefined) return this.waiting.get(owner)?.length ?? 0;
    return [...this.waiting.values()].reduce((sum, events) => sum + events.length, 0);
  }

  add(owner: string, events: readonly Event[]): void {
    if (events.length > 0) this.waiting.set(owner, [...(this.waiting.get(owner) ?? []), ...events]);
  }

  /** Takes all that wait for this owner. */
  take(owner: string): readonly Event[] {
    const events = this.waiting.get(owner) ?? [];
    this.forget(owner);
    return events;
  }

  isScheduled(owner: string): boolean {
    return this.timers.has(owner);
  }

  schedule(owner: string, delayMs: number): void {
    this.unschedule(owner);
    const timer = setTimeout(() => {
      this.timers.delete(owner);
      this.due(owner);
    }, delayMs);
    this.timers.set(owner, timer);
  }

  unschedule(owner: string): void {
    clearTimeout(this.timers.get(owner));
    this.timers.delete(owner);
  }

  forget(owner: string): void {
    this.unschedule(owner);
    this.waiting.delete(owner);
  }

  clear(): void {
    for (const owner of this.timers.keys()) this.unschedule(owner);
    this.waiting.clear();
  }
}
