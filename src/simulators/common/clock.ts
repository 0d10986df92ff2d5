/** The simulator's own time: the machine's time plus what the control API has added to it. It never runs backwards. */
export class SimulatorClock {
  constructor(private aheadMs = 0) {}

  now(): number {
    return Date.now() + this.aheadMs;
  }

  /** A company or account can be ahead of everybody else: it is aged alone. */
  nowAt(owner: { readonly aheadMs: number }): number {
    return this.now() + owner.aheadMs;
  }

  get aheadOfMachineMs(): number {
    return this.aheadMs;
  }

  advance(milliseconds: number): void {
    this.aheadMs += milliseconds;
  }

  reset(aheadMs = 0): void {
    this.aheadMs = aheadMs;
  }
}
