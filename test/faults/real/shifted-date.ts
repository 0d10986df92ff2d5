let aheadMs = 0;

/** The clock of this machine is off by this much from now on, for this process alone. */
export function shiftClock(milliseconds: number): void {
  aheadMs = milliseconds;
}

export function installShiftedDate(): void {
  const RealDate = Date;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, parameters: unknown[], newTarget) =>
      Reflect.construct(target, parameters.length === 0 ? [RealDate.now() + aheadMs] : parameters, newTarget),
    get: (target, name) => (name === 'now' ? () => RealDate.now() + aheadMs : Reflect.get(target, name, target)),
  });
}
