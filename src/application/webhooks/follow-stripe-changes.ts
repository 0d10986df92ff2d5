import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceStatus, isBeingMade } from '../../domain/invoice/invoice.status.js';
import { type StripeConnection, StripeConnectionStatus } from '../../domain/stripe/stripe-connection.entity.js';
import { type WebhookEvent, WebhookEventState } from '../../domain/webhook/webhook-event.entity.js';
import { messageOf } from '../outcome.js';
import { failed as failedCall, isNotFound, type ProviderResult, succeeded } from '../ports/provider.js';
import { bookedInvoices, findOwnStripeInvoices } from '../stripe/concerned-stripe-invoices.js';
import { discardOrphan, orphanhoodOf } from '../stripe/discard-orphan.js';
import type { StripeContext } from '../stripe/stripe-context.js';
import { syncWith } from '../stripe/sync-invoice.js';
import { ORPHAN_PREFIX, OWN_EVENT_PREFIX } from './announce-changes.js';
import { wasSeen } from './event-echo.js';
import type { Verdict } from './event-states.js';
import {
  type ChangedObject,
  failed,
  isInvoiceBeingCreated,
  mustBeRenewed,
  untilReconnected,
  untilRecorded,
  withoutInvoice,
  worstOf,
} from './event-verdicts.js';
import { type Ask, patiently } from './patience.js';

/** Kinds of objects whose change can change what stands on an invoice. */
const ENTITIES: ReadonlySet<string> = new Set([
  'invoice',
  'invoice_payment',
  'credit_note',
  'payment_intent',
  'charge',
  'refund',
  'dispute',
]);

/** Echoes of our own writes: they tell nothing that the answers did not tell. */
const ECHOES: ReadonlySet<string> = new Set(['invoice.created', 'invoice.finalized', 'invoice.sent']);

/**
 * Brings what is booked into line with what changed at Stripe: the invoices that are concerned are read, each once, however
 * many events there are. Only invoices of this connection are ours to book, whoever else uses the account.
 *
 * @param connection with its conference
 */
export async function followStripeChanges(
  context: StripeContext,
  connection: StripeConnection,
  objects: readonly ChangedObject[],
): Promise<Map<ChangedObject, Verdict>> {
  const reason = whyNotAsked(context, connection);
  if (reason !== undefined) {
    return new Map(objects.map((object) => [object, untilReconnected(context, reason)]));
  }
  const followed = await follow(
    context,
    connection,
    objects.filter(({ entity }) => ENTITIES.has(entity)),
  );
  return new Map(objects.map((object) => [object, verdictOf(context, object, followed)]));
}

function whyNotAsked(
  { allowsStripeSimulator }: StripeContext,
  { status, simulated }: StripeConnection,
): string | undefined {
  if (simulated && !allowsStripeSimulator)
    return 'The conference is connected to a simulator, which is not in use here.';
  return status === StripeConnectionStatus.RECONNECT_REQUIRED ? mustBeRenewed('STRIPE') : undefined;
}

/** What is known after the reading. */
interface Followed {
  /** Stripe's ids of the invoices that a change may affect. */
  readonly concerned: ReadonlyMap<ChangedObject, ProviderResult<readonly string[]>>;
  /** Ours among them, by Stripe's id. */
  readonly invoices: ReadonlyMap<string, Invoice>;
  /** What became of those that were read, by our id. */
  readonly read: ReadonlyMap<string, Verdict>;
  /** What became of invoices that an operation of ours made, and that are recorded nowhere, by Stripe's id. */
  readonly orphans: ReadonlyMap<string, Verdict>;
  /** An invoice that is not ours yet may be so in a moment. */
  readonly mayAppear: boolean;
}

async function follow(
  context: StripeContext,
  connection: StripeConnection,
  objects: readonly ChangedObject[],
): Promise<Followed> {
  const ask = patiently(context);
  // Asked before looking for the invoices: asked afterwards, a creation could be recorded in between.
  const mayAppear = await isInvoiceBeingCreated(context, { provider: 'STRIPE', id: connection.id });
  const concerned = await findConcerned(context, connection, objects, ask);
  const ids = [...concerned.values()].flatMap((result) => (result.ok ? result.value : []));
  const invoices = await findOwnStripeInvoices(context.em, connection, ids);
  const read = new Map<string, Verdict>();
  for (const [externalId, invoice] of invoices) {
    const telling = [...concerned].filter(([, result]) => result.ok && result.value.includes(externalId));
    if (isBeingMade(invoice.status) || telling.every(([object]) => tellsNothingNew(context, object, invoice))) continue;
    read.set(invoice.id, await readInvoice(context, connection, invoice, ask));
  }
  const orphans = new Map<string, Verdict>();
  for (const object of objects.filter(({ entity, externalId }) => entity === 'invoice' && !invoices.has(externalId))) {
    const verdict = await discardIfOrphan(context, connection, object, ask);
    if (verdict) orphans.set(object.externalId, verdict);
  }
  return { concerned, invoices, read, orphans, mayAppear };
}

/** A sender that was held up makes its draft when its successor has billed already. Undefined: it is none of ours. */
async function discardIfOrphan(
  context: StripeContext,
  { id }: StripeConnection,
  { externalId, events }: ChangedObject,
  ask: Ask,
): Promise<Verdict | undefined> {
  const isNamed = events.some(({ eventId }) => eventId.startsWith(`${OWN_EVENT_PREFIX}${ORPHAN_PREFIX}`));
  const marks = events.map(({ payload }) => context.billing.operationIn(payload));
  const orphanhood = isNamed ? 'orphan' : await orphanhoodOf(context, id, marks.find(Boolean));
  if (orphanhood === 'not ours') return undefined;
  if (orphanhood === 'unsettled') return untilRecorded(context.waits.resumeMaxMs);
  const discarded = await ask(() => discardOrphan(context, id, externalId));
  return discarded.ok ? { state: WebhookEventState.DONE } : failed(context, discarded.failure);
}

/** An event names the invoice itself, or only the payment: then our bookings know it, or else Stripe is asked. */
async function findConcerned(
  context: StripeContext,
  connection: StripeConnection,
  objects: readonly ChangedObject[],
  ask: Ask,
): Promise<Map<ChangedObject, ProviderResult<readonly string[]>>> {
  const paymentIds = [...new Set(objects.map(({ externalId }) => externalId).filter(isPaymentIntent))];
  const known = new Map<string, ProviderResult<readonly string[]>>();
  const booked = await bookedInvoices(context.em, connection, paymentIds);
  for (const id of paymentIds) {
    const invoiceIds = booked.get(id);
    known.set(id, invoiceIds ? succeeded(invoiceIds) : await askForInvoices(context, connection, id, ask));
  }
  return new Map(
    objects.map((object) => [object, known.get(object.externalId) ?? succeeded([object.externalId])] as const),
  );
}

function isPaymentIntent(externalId: string): boolean {
  return externalId.startsWith('pi_');
}

async function askForInvoices(
  context: StripeContext,
  connection: StripeConnection,
  paymentIntentId: string,
  ask: Ask,
): Promise<ProviderResult<readonly string[]>> {
  const found = await ask(() => context.billing.findPaidInvoices(connection.id, paymentIntentId));
  return !found.ok && isNotFound(found.failure) ? succeeded([]) : found;
}

async function readInvoice(
  context: StripeContext,
  connection: StripeConnection,
  invoice: Invoice,
  ask: Ask,
): Promise<Verdict> {
  try {
    const result = await ask(async () => {
      const failure = await syncWith(context, connection, invoice);
      return failure ? failedCall(failure) : succeeded(undefined);
    });
    return result.ok ? { state: WebhookEventState.DONE } : failed(context, result.failure);
  } catch (error) {
    // The invoice is such that it cannot be booked, or it is a bug: the others must not suffer from it.
    return { state: 'FAILED', reason: messageOf(error) };
  }
}

/** Our latest reading saw what these events are about, or they are about our own writes. */
function tellsNothingNew({ waits }: StripeContext, { events }: ChangedObject, invoice: Invoice): boolean {
  // Reads are free, and nobody says that a change can be read at the moment that its event bears.
  return events.every((event) => isEcho(event) || wasSeen(event, invoice, waits.clockDifferenceMs));
}

/** One that is replayed, which has no number, is to be looked at whatever it tells. */
function isEcho({ operation, arrivalNumber }: WebhookEvent): boolean {
  return arrivalNumber !== null && ECHOES.has(operation);
}

function verdictOf(context: StripeContext, object: ChangedObject, followed: Followed): Verdict {
  const concerned = followed.concerned.get(object);
  if (!concerned) return { state: WebhookEventState.IGNORED, reason: 'Such events do not concern invoices.' };
  if (!concerned.ok) return failed(context, concerned.failure);
  const own = concerned.value.flatMap((id) => followed.invoices.get(id) ?? []);
  const worst =
    worstOf(own.map((invoice) => verdictOn(context, object, invoice, followed))) ??
    followed.orphans.get(object.externalId);
  if (worst) return worst;
  const isWorthWaiting = concerned.value.length > 0 && !object.events.every(isEcho);
  return withoutInvoice(context, isWorthWaiting && followed.mayAppear);
}

function verdictOn(context: StripeContext, object: ChangedObject, invoice: Invoice, { read }: Followed): Verdict {
  if (tellsNothingNew(context, object, invoice)) return { state: WebhookEventState.DONE };
  const { eventUntilRecordedMs, resumeMaxMs } = context.waits;
  // An unknown outcome is settled at the pace of the background.
  const ms = invoice.status === InvoiceStatus.UNKNOWN ? resumeMaxMs : eventUntilRecordedMs;
  if (isBeingMade(invoice.status)) return untilRecorded(ms);
  const verdict = read.get(invoice.id);
  if (!verdict) throw new Error(`invoice ${invoice.id} was not read`);
  return verdict;
}
