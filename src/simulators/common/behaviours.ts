interface AnyBehaviour {
  /** Loses this many of the next events. */
  readonly drop: number;
}

/** How each owner's events are treated: the default for all, and what was said about one company or account. */
export class Behaviours<Behaviour extends AnyBehaviour> {
  private forAll: Behaviour;
  private readonly own = new Map<string, Partial<Behaviour>>();

  /** `ofItsOwn`: what besides its own switches is different for an owner that was given any. */
  constructor(
    private readonly defaults: Behaviour,
    private readonly ofItsOwn: Partial<Behaviour> = {},
  ) {
    this.forAll = defaults;
  }

  set(owner: string | undefined, changes: Partial<Behaviour>): void {
    if (owner === undefined) this.forAll = { ...this.forAll, ...changes };
    else this.own.set(owner, { ...this.own.get(owner), ...changes });
  }

  of(owner: string | undefined): Behaviour {
    const own = owner === undefined ? undefined : this.own.get(owner);
    return own === undefined ? this.forAll : { ...this.forAll, ...this.ofItsOwn, ...own };
  }

  /** Uses up what is to be lost of this many events and tells how many of them are lost. */
  takeDrops(owner: string, events: number): number {
    const lost = Math.min(this.of(owner).drop, events);
    const drop = this.of(owner).drop - lost;
    const change = { drop } as Partial<Behaviour>;
    if (lost > 0) this.set(this.own.get(owner)?.drop === undefined ? undefined : owner, change);
    return lost;
  }

  forget(owner: string): void {
    this.own.delete(owner);
  }

  reset(): void {
    this.forAll = this.defaults;
    this.own.clear();
  }
}
