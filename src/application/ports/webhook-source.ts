/** What the webhook routes need of a provider: telling its messages from forgeries, and reading them. */
export interface WebhookSource {
  /** Compares the signature of the raw bytes in constant time with every configured secret. */
  verify(body: Buffer, signature: string | undefined): 'valid' | 'invalid' | 'not_configured';
  /** Reads a verified body. `undefined`: it is no list of events at all. A bad element becomes an unreadable event. */
  parse(body: Buffer): ReceivedEvent[] | undefined;
}

/** One change that a provider announces. */
export interface ReceivedEvent {
  /** Unique per provider: its own event id, or one derived from the content when it has none. */
  readonly eventId: string;
  /** The company (realm) it concerns; empty when the element could not be read. */
  readonly companyId: string;
  /** In lower case: `invoice`, `payment`, … */
  readonly entity: string;
  readonly entityId: string;
  /** In the past tense: `created`, `updated`, `deleted`, `voided`, `merged`, `emailed`. */
  readonly operation: string;
  readonly occurredAt: Date | undefined;
  /** The element as received, for people who look into it later. */
  readonly payload: unknown;
  /** Set when the element cannot be acted on; it is stored as ignored with this reason. */
  readonly unreadable?: string;
}
