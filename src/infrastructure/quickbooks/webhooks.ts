import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { ReceivedEvent, WebhookSource } from '../../application/ports/webhook-source.js';
import { storablePayload } from '../webhook-payload.js';

/** QuickBooks' change notifications, in the legacy shape and as CloudEvents. */
export class QuickBooksWebhooks implements WebhookSource {
  readonly #verifierTokens: readonly string[];

  /** @param verifierTokens one for each Intuit app and environment; several while one is being replaced */
  constructor(verifierTokens: readonly string[]) {
    this.#verifierTokens = verifierTokens.filter((token) => token !== '');
  }

  verify(body: Buffer, signature: string | undefined): 'valid' | 'invalid' | 'not_configured' {
    if (this.#verifierTokens.length === 0) return 'not_configured';
    const given = Buffer.from(SIGNATURE.test(signature ?? '') ? String(signature) : '', 'base64');
    // Every token is tried, so that the time taken does not tell which one matched.
    const matches = this.#verifierTokens.map((token) => isSignedWith(token, body, given));
    return matches.includes(true) ? 'valid' : 'invalid';
  }

  parse(body: Buffer): ReceivedEvent[] | undefined {
    const json = parseOrUndefined(body);
    if (Array.isArray(json)) return json.map(readCloudEvent);
    const legacy = legacyEnvelope.safeParse(json);
    if (legacy.success) return legacy.data.eventNotifications.flatMap(readNotification);
    // The same media type also carries single events.
    return singleCloudEvent.safeParse(json).success ? [readCloudEvent(json)] : undefined;
  }
}

/**
 * 32 bytes in base64, spelt in the one way: Node's decoder would overlook what stands behind the padding, and the two
 * bits of the last character that carry nothing.
 */
const SIGNATURE = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;

/** `intuit-signature`: HMAC-SHA256 of the raw bytes, in base64. */
function isSignedWith(verifierToken: string, body: Buffer, given: Buffer): boolean {
  const expected = createHmac('sha256', verifierToken).update(body).digest();
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function parseOrUndefined(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

// Limits of what is stored as an identity. Ids are digits, though some senders write them as JSON numbers.
const numericId = z.union([z.string(), z.int().nonnegative().transform(String)]).pipe(z.string().regex(/^\d{1,30}$/));
const entityName = z
  .string()
  .regex(/^[a-z]{1,50}$/i)
  .toLowerCase();
const timeText = z.string().max(50).optional().catch(undefined);

const singleCloudEvent = z.object({ specversion: z.string(), type: z.string() });

const EVENT_TYPE = /^qbo\.([a-z]{1,50})\.([a-z]{1,50})\.v\d{1,3}$/i;

const cloudEvent = z.object({
  id: z.string().regex(/^[\x21-\x7e]{1,100}$/),
  type: z.string().regex(EVENT_TYPE),
  intuitaccountid: numericId,
  intuitentityid: numericId,
  time: timeText,
});

function readCloudEvent(element: unknown): ReceivedEvent {
  const parsed = cloudEvent.safeParse(element);
  if (!parsed.success) return unreadable(element, parsed.error);
  const { id, type, intuitaccountid, intuitentityid, time } = parsed.data;
  const [, entity = '', operation = ''] = EVENT_TYPE.exec(type) ?? [];
  return {
    eventId: id,
    companyId: intuitaccountid,
    entity: entity.toLowerCase(),
    entityId: intuitentityid,
    operation: pastTense(operation),
    occurredAt: instant(time),
    payload: storablePayload(element),
  };
}

const legacyEnvelope = z.object({ eventNotifications: z.array(z.unknown()) });
const legacyNotification = z.object({
  realmId: numericId,
  dataChangeEvent: z.object({ entities: z.array(z.unknown()) }),
});
const legacyEntity = z.object({
  name: entityName,
  id: numericId,
  operation: z.string().regex(/^[a-z]{1,50}$/i),
  lastUpdated: timeText,
});

function readNotification(notification: unknown): ReceivedEvent[] {
  const parsed = legacyNotification.safeParse(notification);
  if (!parsed.success) return [unreadable(notification, parsed.error)];
  const { realmId, dataChangeEvent } = parsed.data;
  return dataChangeEvent.entities.map((entity) => readLegacyEntity(realmId, entity));
}

function readLegacyEntity(realmId: string, element: unknown): ReceivedEvent {
  const parsed = legacyEntity.safeParse(element);
  if (!parsed.success) return unreadable({ realmId, entity: element }, parsed.error);
  const { name, id, operation, lastUpdated = '' } = parsed.data;
  // This shape has no event ids: what changed and when, to the second, stands for one. Without a time every delivery is
  // an event of its own, because a repeated reading is harmless and a missed change is not.
  const identity = lastUpdated === '' ? [randomUUID()] : [realmId, name, id, operation.toLowerCase(), lastUpdated];
  return {
    eventId: `legacy-${digest(identity)}`,
    companyId: realmId,
    entity: name,
    entityId: id,
    operation: pastTense(operation),
    occurredAt: instant(lastUpdated),
    payload: storablePayload({ realmId, entity: element }),
  };
}

const PAST_TENSE: ReadonlyMap<string, string> = new Map([
  ['create', 'created'],
  ['update', 'updated'],
  ['delete', 'deleted'],
  ['merge', 'merged'],
  ['void', 'voided'],
  ['email', 'emailed'],
]);

/** Legacy names are imperatives, and CloudEvents have been seen with `void` as well as `voided`. */
function pastTense(operation: string): string {
  const name = operation.toLowerCase();
  return PAST_TENSE.get(name) ?? name;
}

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)$/;

/** Offsets come with and without a colon, fractions down to nanoseconds, of which a Date keeps milliseconds. */
function instant(text: string | undefined): Date | undefined {
  const [, second, fraction = '', offset = ''] = TIME.exec(text ?? '') ?? [];
  const zone = offset.replace(/^([+-]\d\d):?(\d\d)$/, '$1:$2');
  const date = new Date(`${second}${fraction.slice(0, 4)}${zone}`);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** Kept for people to look at. The id depends on the content, so that a repeated delivery is recognised. */
function unreadable(element: unknown, error: z.ZodError): ReceivedEvent {
  const payload = storablePayload(element);
  const [issue] = error.issues;
  const field = issue?.path.join('.') ?? '';
  return {
    eventId: `unreadable-${digest([JSON.stringify(payload)])}`,
    companyId: '',
    entity: '',
    entityId: '',
    operation: '',
    occurredAt: undefined,
    payload,
    unreadable: field === '' ? 'It is not an event.' : `Its ${field} is missing or malformed.`,
  };
}

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
