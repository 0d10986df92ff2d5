import type Stripe from 'stripe';
import { z } from 'zod';
import type { BillingEvent } from '../../application/ports/billing.js';
import { storablePayload } from '../webhook-payload.js';
import type { StripeListing } from './client.js';
import { instant, metadata, reference, unixSeconds } from './documents.js';
import { OPERATION_ID } from './invoice-body.js';

const optionalReference = reference.nullish().catch(undefined);

const eventDocument = z.object({
  id: z.string().regex(/^[\x21-\x7e]{1,100}$/),
  // A thin event, which names no object, is none of these.
  object: z.literal('event'),
  type: z.string().regex(/^[\w.]{1,100}$/),
  created: instant,
  data: z.object({
    object: z.object({
      id: z.string().min(1).max(255).optional().catch(undefined),
      object: z.string().regex(/^[\w.]{1,50}$/),
      invoice: optionalReference,
      payment_intent: optionalReference,
    }),
  }),
});

type EventObject = z.output<typeof eventDocument>['data']['object'];

const markedPayload = z.object({ data: z.object({ object: z.object({ object: z.literal('invoice'), metadata }) }) });

/** The operation that an invoice says it was made by, in an event about it as it is stored. */
export function operationIdIn(payload: unknown): string | undefined {
  return markedPayload.safeParse(payload).data?.data.object.metadata?.[OPERATION_ID];
}

export type ReadEvent =
  | { readonly ok: true; readonly event: BillingEvent }
  /** Why it cannot be acted on, as a sentence. */
  | { readonly ok: false; readonly reason: string };

/** Reads an event as it comes by webhook and from the list of events. */
export function readEvent(element: unknown): ReadEvent {
  const { success, data, error } = eventDocument.safeParse(element);
  if (!success) return { ok: false, reason: reasonOf(error) };
  const { object } = data.data;
  const entityId = concernedId(object);
  if (entityId === undefined) return { ok: false, reason: 'It does not say what it concerns.' };
  const { id: eventId, type: operation, created: occurredAt } = data;
  const payload = storablePayload(element);
  return { ok: true, event: { eventId, entity: object.object, entityId, operation, occurredAt, payload } };
}

function reasonOf(error: z.ZodError): string {
  const field = error.issues[0]?.path.join('.') ?? '';
  return field === '' ? 'It is not an event.' : `Its ${field} is missing or malformed.`;
}

/** Things that happen to an invoice, each of which names it. */
const ON_INVOICE = new Set(['invoice_payment', 'credit_note']);
/** Things that happen to a payment. Older versions of the API named the invoice, too. */
const ON_PAYMENT = new Set(['charge', 'refund', 'dispute', 'payment_intent']);

function concernedId({ object, id, invoice, payment_intent }: EventObject): string | undefined {
  if (ON_INVOICE.has(object)) return invoice ?? undefined;
  return (ON_PAYMENT.has(object) ? (invoice ?? payment_intent) : undefined) ?? id;
}

/** Everything that can change what an invoice asks for, or what stands on it: as many as one question may name. */
const TYPES = [
  'invoice.created',
  'invoice.updated',
  'invoice.paid',
  'invoice.payment_failed',
  'invoice.marked_uncollectible',
  'invoice.voided',
  'invoice.deleted',
  'invoice_payment.paid',
  'credit_note.created',
  'credit_note.updated',
  'credit_note.voided',
  'payment_intent.processing',
  'payment_intent.payment_failed',
  'payment_intent.canceled',
  'refund.created',
  'refund.updated',
  'refund.failed',
  'charge.dispute.created',
  'charge.dispute.updated',
  'charge.dispute.closed',
] satisfies Stripe.Event.Type[];

/** As a rule a sweep takes one; so many take less than half a minute. */
export const MAX_EVENT_PAGES = 50;

const anyEvent = z.looseObject({ id: z.string().min(1) });

/** Events of any content: each is read by itself, so that one that cannot be understood costs only itself. */
export function eventsListing(since: Date, types: string[] = TYPES): StripeListing<z.output<typeof anyEvent>> {
  return {
    operation: 'find_events',
    send: (stripe, page) => stripe.events.list({ created: { gte: unixSeconds(since) }, types, ...page }),
    row: anyEvent,
  };
}

/** Oldest first. */
export function toBillingEvents(elements: readonly unknown[]): BillingEvent[] {
  const read = elements.map(readEvent);
  return read.flatMap((one) => (one.ok ? [one.event] : [])).reverse();
}
