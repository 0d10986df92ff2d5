import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceStatus } from '../../domain/invoice/invoice.status.js';
import { StripeConnection, StripeConnectionStatus } from '../../domain/stripe/stripe-connection.entity.js';
import { WebhookEvent } from '../../domain/webhook/webhook-event.entity.js';
import { beginReading } from '../invoicing/reading-order.js';
import { messageOf } from '../outcome.js';
import type { BillingEvent } from '../ports/billing.js';
import type { DueSweep, SweepReport } from '../sweeps.js';
import { announceChanges, stripeInbox } from '../webhooks/announce-changes.js';
import { storeWebhookEvents } from '../webhooks/store-webhook-events.js';
import { findOwnStripeInvoices } from './concerned-stripe-invoices.js';
import type { StripeContext } from './stripe-context.js';

export interface StripeSweepReport extends SweepReport {
  /** Events that were not in the inbox yet; invoices, when there are too many events, or it is too long ago for them. */
  readonly found: number;
}

/** The Stripe connections to be swept now. */
export async function dueStripeSweeps({ em, clock, allowsStripeSimulator }: StripeContext): Promise<DueSweep[]> {
  return em.fork().execute(
    `select 'STRIPE' as provider, id as "connectionId", id as "companyId" from stripe_connection
     where status = 'CONNECTED' and (? or not simulated) and sweep_due_at <= ?`,
    [allowsStripeSimulator, clock.now()],
  );
}

/**
 * Asks Stripe what happened and puts what no webhook told into the inbox, where it is worked off like the rest; what they
 * told costs nothing. The time that was looked at is remembered only when everything went well, so a failed sweep is made
 * up for by the next one. Only for the holder of the connection's lock.
 */
export async function sweepStripeConnection(context: StripeContext, connectionId: string): Promise<StripeSweepReport> {
  const connection = await context.em.fork().findOneOrFail(StripeConnection, connectionId);
  if (!isDue(context, connection)) return { outcome: 'not_due', found: 0, isGap: false };
  try {
    return await sweepNow(context, connection);
  } catch (error) {
    return fail(context, connection, { message: messageOf(error) });
  }
}

/** As `dueStripeSweeps`, asked again by whoever holds the lock: another worker may have swept it meanwhile. */
function isDue({ clock, allowsStripeSimulator }: StripeContext, connection: StripeConnection): boolean {
  if (connection.status !== StripeConnectionStatus.CONNECTED) return false;
  if (connection.simulated && !allowsStripeSimulator) return false;
  return connection.sweepDueAt <= clock.now();
}

async function sweepNow(context: StripeContext, connection: StripeConnection): Promise<StripeSweepReport> {
  const { clock, waits } = context;
  const begunAt = clock.now();
  // Before it was connected there was nothing of ours to change.
  const start = connection.sweptUntil ?? connection.createdAt;
  const since = new Date(start.getTime() - waits.sweepOverlapMs);
  if (begunAt.getTime() - since.getTime() > waits.changeDataReachMs) return lookAtEverything(context, connection);
  const read = await context.billing.findEvents(connection.id, since);
  if (!read.ok) return fail(context, connection, read.failure);
  if (read.value === 'too_many') return lookAtEverything(context, connection);
  // By Stripe's clock, or by ours, which may be ahead of it.
  const asOf = read.asOf ?? new Date(begunAt.getTime() - waits.clockDifferenceMs);
  const news = await notInInbox(context, connection, read.value);
  const ours = await findOwnStripeInvoices(
    context.em,
    connection,
    news.map(({ entityId }) => entityId),
  );
  // A draft that came too late is known by its mark alone.
  const isKept = ({ entityId, payload }: BillingEvent) =>
    ours.has(entityId) || context.billing.operationIn(payload) !== undefined;
  await store(
    context,
    connection,
    news.map((event) => (isKept(event) ? event : { ...event, payload: NOT_KEPT })),
  );
  const isGap = news.some((event) => ours.has(event.entityId) && isLate(context, event, asOf));
  await recordRun(context, connection, { sweptUntil: new Date(Math.max(asOf.getTime(), start.getTime())) });
  return { outcome: 'done', found: news.length, isGap };
}

/** Storing leaves out what is there already; asking first tells what webhooks missed, and spares sending it all. */
async function notInInbox(
  { em }: StripeContext,
  { id: companyId }: StripeConnection,
  events: readonly BillingEvent[],
): Promise<BillingEvent[]> {
  const ids = events.map(({ eventId }) => eventId);
  if (ids.length === 0) return [];
  const known = { provider: 'STRIPE', companyId, eventId: { $in: ids } };
  const stored = await em.fork().find(WebhookEvent, known, { fields: ['eventId'] });
  const storedIds = new Set(stored.map(({ eventId }) => eventId));
  return events.filter(({ eventId }) => !storedIds.has(eventId));
}

/** Of somebody else's business in the same account, or of a payment of which it is not known yet whose it is. */
const NOT_KEPT = '[cut: it names no invoice of ours]';

/** A younger one may be on its way. */
function isLate({ waits }: StripeContext, { occurredAt }: BillingEvent, asOf: Date): boolean {
  return occurredAt.getTime() < asOf.getTime() - waits.webhookDelayMs;
}

/** One statement holds as many events as a page of Stripe's. */
const SHARE = 100;

async function store(
  { em, clock, ids, jobs }: StripeContext,
  { id: companyId }: StripeConnection,
  events: readonly BillingEvent[],
): Promise<void> {
  const wake = jobs.wakeWebhookWorker.bind(jobs);
  for (let from = 0; from < events.length; from += SHARE) {
    const share = events.slice(from, from + SHARE).map((event) => ({ ...event, companyId }));
    await storeWebhookEvents({ em: em.fork(), clock, ids, wake }, 'STRIPE', share);
  }
}

/**
 * It is longer ago than Stripe keeps events, or there are more than can be listed at once, e.g. of a shop in the same account:
 * every invoice that may have changed is announced, as if it had, and the worker of events reads it.
 */
async function lookAtEverything(context: StripeContext, connection: StripeConnection): Promise<StripeSweepReport> {
  const { em, clock, waits } = context;
  const sweptUntil = new Date(clock.now().getTime() - waits.clockDifferenceMs);
  const settled = [InvoiceStatus.CREATING, InvoiceStatus.UNKNOWN, InvoiceStatus.DELETED];
  const held = { stripeConnection: connection.id, status: { $nin: settled } };
  const invoices = await em.fork().find(Invoice, held, { fields: ['externalId'] });
  const occasion = await beginReading(em);
  await announceChanges(
    em.fork(),
    context,
    stripeInbox(connection),
    invoices.map(({ externalId }) => ({
      eventId: `${occasion}-invoice-${externalId}`,
      entity: 'invoice',
      externalId: String(externalId),
    })),
  );
  await recordRun(context, connection, { sweptUntil });
  return { outcome: 'done', found: invoices.length, isGap: false };
}

async function fail(
  context: StripeContext,
  connection: StripeConnection,
  { message, retryAt }: { readonly message: string; readonly retryAt?: Date },
): Promise<StripeSweepReport> {
  await recordRun(context, connection, { sweepError: message, ...(retryAt && { sweepDueAt: retryAt }) });
  return { outcome: 'failed', found: 0, isGap: false, reason: message };
}

/** Only the sweep's own columns: the connection may be configured anew meanwhile. */
async function recordRun(
  { em, clock, waits }: StripeContext,
  { id }: StripeConnection,
  changes: Partial<Pick<StripeConnection, 'sweptUntil' | 'sweepDueAt' | 'sweepError'>>,
): Promise<void> {
  const sweepDueAt = new Date(clock.now().getTime() + waits.stripeSweepMs);
  await em.fork().nativeUpdate(StripeConnection, { id }, { sweepDueAt, sweepError: null, ...changes });
}
