/** Tells when something may have changed, whichever process changed it. What changed is for the reader to find. */
export interface ChangeFeed {
  /** An alarm for one id, e.g. of a purchase order or conference; it is off once the signal aborts. */
  watch(id: string, until: AbortSignal): Alarm;
}

export interface Alarm {
  /** Resolves when it has rung since the last time, or is off. It may ring without a cause. */
  rung(): Promise<void>;
}
