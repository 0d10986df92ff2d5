import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { EmailStatus } from '../../domain/invoice/invoice.status.js';
import { OperationKind, OperationState, ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import { Payment, PaymentSource } from '../../domain/purchase-order/payment.entity.js';
import { companyIdOf, QboConnection, QboConnectionStatus } from '../../domain/quickbooks/qbo-connection.entity.js';
import { WebhookEvent, WebhookEventState } from '../../domain/webhook/webhook-event.entity.js';
import type { ProviderFailure } from '../ports/provider.js';
import type { QboContext } from '../quickbooks/qbo-context.js';
import { syncInvoice } from '../quickbooks/sync-invoice.js';
import type { Waits } from '../waits.js';

/** One run's share; the job comes back for the rest. */
const BATCH = 200;

/** After this many failures, which the back-off spreads over 19 hours, a person has to look. */
const MAX_ATTEMPTS = 20;

type Verdict =
  | { readonly state: WebhookEventState.DONE }
  | { readonly state: WebhookEventState.IGNORED; readonly reason: string }
  /** It waits, and such waiting never kills it. */
  | { readonly state: 'POSTPONED'; readonly ms: number; readonly reason: string }
  | { readonly state: 'FAILED'; readonly reason: string };

/**
 * Works off the due events of one QuickBooks company. Events about the same object are one piece of work, because
 * each only says that the object changed: what it is now is read from QuickBooks. Returns how many events were due.
 */
export async function processQboEvents(context: QboContext, realmId: string): Promise<number> {
  const due = await dueEvents(context, realmId);
  const connections = await context.em.fork().find(QboConnection, { realmId });
  const run: Run = { context, connections, readInvoices: new Set() };
  for (const object of changedObjects(due)) await settle(context, object.events, await process(run, object));
  return due.length;
}

interface Run {
  readonly context: QboContext;
  readonly connections: readonly QboConnection[];
  /** Our ids of the invoices read in this run. Its events were all received before, so one reading covers them. */
  readonly readInvoices: Set<string>;
}

/** Something that changed in QuickBooks, and the events that say so. */
interface ChangedObject {
  readonly entity: string;
  readonly externalId: string;
  readonly events: readonly WebhookEvent[];
}

function changedObjects(events: readonly WebhookEvent[]): ChangedObject[] {
  const byObject = Map.groupBy(events, ({ entity, entityId }) => `${entity} ${entityId}`);
  return [...byObject.values()].flatMap((group) => {
    const [first] = group;
    return first ? [{ entity: first.entity, externalId: first.entityId, events: group }] : [];
  });
}

async function dueEvents(context: QboContext, realmId: string): Promise<WebhookEvent[]> {
  return context.em.fork().find(
    WebhookEvent,
    {
      provider: 'QBO',
      companyId: realmId,
      state: WebhookEventState.RECEIVED,
      nextAttemptAt: { $lte: context.clock.now() },
    },
    { orderBy: { receivedAt: 'asc', id: 'asc' }, limit: BATCH },
  );
}

async function process(run: Run, object: ChangedObject): Promise<Verdict> {
  const { connections } = run;
  if (connections.length === 0) return { state: WebhookEventState.IGNORED, reason: 'No connection has this realm id.' };
  if (object.entity !== 'payment' && object.entity !== 'invoice') {
    return { state: WebhookEventState.IGNORED, reason: 'Only invoices and payments concern purchase orders.' };
  }
  try {
    const verdicts: Verdict[] = [];
    for (const connection of connections) verdicts.push(await processFor(run, connection, object));
    return worst(verdicts);
  } catch (error) {
    return { state: 'FAILED', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** A realm id may be connected as a sandbox and as a production company; the event does not say which. */
function worst(verdicts: readonly Verdict[]): Verdict {
  const order = ['FAILED', 'POSTPONED', WebhookEventState.DONE, WebhookEventState.IGNORED];
  const [first] = verdicts.toSorted((left, right) => order.indexOf(left.state) - order.indexOf(right.state));
  if (!first) throw new Error('an event was processed for no connection');
  return first;
}

async function processFor(run: Run, connection: QboConnection, object: ChangedObject): Promise<Verdict> {
  const { context, readInvoices } = run;
  if (connection.status === QboConnectionStatus.RECONNECT_REQUIRED) {
    return untilReconnected(context, 'The connection to QuickBooks must be renewed first.');
  }
  const concerned = await concernedInvoices(context, connection, object);
  if ('failure' in concerned) return failed(context, concerned.failure);
  const { externalIds } = concerned;
  // Asked before looking for the invoice: asked afterwards, its creation could be recorded in between.
  const mayAppear = await isInvoiceBeingCreated(context, connection);
  const invoices = await context.em
    .fork()
    .find(Invoice, { qboConnection: connection, externalId: { $in: externalIds } });
  for (const invoice of invoices) {
    if (readInvoices.has(invoice.id) || object.events.every((event) => isOwnEcho(event, invoice))) continue;
    const failure = await syncInvoice(context, invoice.id);
    if (failure) return failed(context, failure);
    readInvoices.add(invoice.id);
  }
  if (invoices.length > 0) return { state: WebhookEventState.DONE };
  if (externalIds.length > 0 && mayAppear) {
    return { state: 'POSTPONED', ms: context.waits.eventUntilRecordedMs, reason: 'An invoice is being created.' };
  }
  return { state: WebhookEventState.IGNORED, reason: 'It concerns no invoice of a purchase order.' };
}

/**
 * QuickBooks announces our own writes, too. That an invoice of ours was created says nothing that its creation did not
 * tell; that it was e-mailed is worth a reading only as long as its payment page is not known.
 */
function isOwnEcho({ entity, operation }: WebhookEvent, invoice: Invoice): boolean {
  if (entity !== 'invoice') return false;
  if (operation === 'created') return true;
  return operation === 'emailed' && invoice.emailStatus === EmailStatus.SENT && invoice.payUrl !== null;
}

function failed(context: QboContext, failure: ProviderFailure): Verdict {
  if (failure.kind === 'reconnect_required') return untilReconnected(context, failure.message);
  if (failure.kind === 'unavailable' && failure.retryAt) {
    const ms = Math.max(0, failure.retryAt.getTime() - context.clock.now().getTime());
    return { state: 'POSTPONED', ms, reason: failure.message };
  }
  return { state: 'FAILED', reason: failure.message };
}

function untilReconnected({ waits }: QboContext, reason: string): Verdict {
  return { state: 'POSTPONED', ms: waits.eventUntilReconnectedMs, reason };
}

/** QuickBooks' ids of the invoices a change may affect: for a payment those it pays now and those it paid before. */
async function concernedInvoices(
  context: QboContext,
  connection: QboConnection,
  { entity, externalId }: ChangedObject,
): Promise<{ externalIds: string[] } | { failure: ProviderFailure }> {
  if (entity === 'invoice') return { externalIds: [externalId] };
  const read = await context.accounting.readPayments(connection.id, [externalId]);
  if (!read.ok) return { failure: read.failure };
  const booked = await context.em.fork().find(Payment, {
    source: PaymentSource.QBO,
    providerCompany: companyIdOf(connection),
    providerPaymentId: externalId,
  });
  const applied = read.value.flatMap((payment) => payment.applications).filter(({ kind }) => kind === 'invoice');
  const ids = [
    ...applied.map((application) => application.externalId),
    ...booked.map((row) => String(row.providerInvoiceId)),
  ];
  return { externalIds: [...new Set(ids)] };
}

/** Our own invoice's event can arrive before its creation is recorded. */
async function isInvoiceBeingCreated(context: QboContext, connection: QboConnection): Promise<boolean> {
  const since = new Date(context.clock.now().getTime() - context.waits.replayWindowMs);
  const open = await context.em.fork().count(ProviderOperation, {
    kind: OperationKind.CREATE_INVOICE,
    connection,
    state: { $in: [OperationState.IN_FLIGHT, OperationState.UNKNOWN] },
    updatedAt: { $gt: since },
  });
  return open > 0;
}

async function settle(context: QboContext, events: readonly WebhookEvent[], verdict: Verdict): Promise<void> {
  const ids = events.map((event) => event.id);
  const attempts = Math.max(...events.map((event) => event.attempts));
  await context.em.fork().nativeUpdate(WebhookEvent, { id: { $in: ids } }, changes(context, attempts, verdict));
}

function changes(context: QboContext, attempts: number, verdict: Verdict): Partial<WebhookEvent> {
  const now = context.clock.now();
  switch (verdict.state) {
    case 'POSTPONED':
      return { nextAttemptAt: new Date(now.getTime() + verdict.ms), lastError: verdict.reason };
    case 'FAILED':
      return afterFailure(context, attempts + 1, verdict.reason);
    case WebhookEventState.IGNORED:
      return { state: verdict.state, lastError: verdict.reason, processedAt: now };
    case WebhookEventState.DONE:
      return { state: verdict.state, lastError: null, processedAt: now };
  }
}

function afterFailure({ clock, waits }: QboContext, attempts: number, lastError: string): Partial<WebhookEvent> {
  if (attempts >= MAX_ATTEMPTS) return { state: WebhookEventState.DEAD, attempts, lastError };
  return { attempts, lastError, nextAttemptAt: new Date(clock.now().getTime() + backOffMs(waits, attempts)) };
}

function backOffMs({ eventBackOffMs, eventBackOffMaxMs }: Waits, attempts: number): number {
  return Math.min(eventBackOffMs * 2 ** (attempts - 1), eventBackOffMaxMs);
}
