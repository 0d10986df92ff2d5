import type { EntityManager } from '@mikro-orm/postgresql';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import { QboSweep } from '../../domain/quickbooks/qbo-sweep.entity.js';
import { messageOf } from '../outcome.js';
import type { SweepReport } from '../sweeps.js';
import { OWN_EVENT_PREFIX } from '../webhooks/announce-changes.js';
import { isSweepDue } from './due-sweeps.js';
import { findChanges } from './find-changes.js';
import type { QboContext } from './qbo-context.js';
import { type RecordedChanges, recordChanges } from './record-changes.js';

export interface QboSweepReport extends SweepReport {
  readonly invoicesChanged: number;
}

/**
 * Looks for changes in a company that no webhook told, and records them. What was looked at is remembered only when
 * everything went well, so a failed sweep is made up for by the next one. Only for the holder of the company's lock.
 */
export async function sweepQboConnection(context: QboContext, connectionId: string): Promise<QboSweepReport> {
  const em = context.em.fork();
  const connection = await em.findOneOrFail(QboConnection, connectionId);
  const sweep = await em.findOne(QboSweep, { connection: connectionId });
  if (!isSweepDue(context, connection, sweep)) return report('not_due');
  try {
    return await sweepNow(context, connection, sweep);
  } catch (error) {
    return fail(context, connection, { message: messageOf(error) });
  }
}

function report(outcome: SweepReport['outcome'], invoicesChanged = 0, isGap = false): QboSweepReport {
  return { outcome, invoicesChanged, isGap };
}

async function sweepNow(
  context: QboContext,
  connection: QboConnection,
  sweep: QboSweep | null,
): Promise<QboSweepReport> {
  const start = sweep?.watermark ?? (await firstInvoiceAt(context.em, connection));
  if (!start) {
    await recordRun(context, connection, { nextSweepAt: later(context, context.waits.anxiousSweepMs) });
    return report('nothing_to_watch');
  }
  const found = await findChanges(context, connection, new Date(start.getTime() - context.waits.sweepOverlapMs));
  if (!found.ok) return fail(context, connection, found.failure);
  const recorded = await recordChanges(context, connection, found.value);
  if (recorded.failure) return fail(context, connection, recorded.failure);
  const { asOf } = found.value;
  if (!asOf) throw new Error('QuickBooks did not say when it answered');
  const isGap = hasGap(context, recorded, asOf);
  await recordSuccess(context, connection, sweep, { start, asOf, isGap });
  return report('done', recorded.changed.length, isGap);
}

/** Before our first invoice there was nothing of ours to change. */
async function firstInvoiceAt(em: EntityManager, qboConnection: QboConnection): Promise<Date | undefined> {
  const first = await em.fork().findOne(Invoice, { qboConnection }, { orderBy: { createdAt: 'asc' } });
  return first?.createdAt;
}

/** Younger changes may be on their way. A change of unknown age is a deletion, which was found by its absence. */
function hasGap({ waits }: QboContext, { changed }: RecordedChanges, asOf: Date): boolean {
  const toldBy = asOf.getTime() - waits.webhookDelayMs;
  return changed.some(({ changedAt }) => changedAt === undefined || changedAt.getTime() < toldBy);
}

interface Success {
  readonly start: Date;
  readonly asOf: Date;
  readonly isGap: boolean;
}

async function recordSuccess(
  context: QboContext,
  connection: QboConnection,
  sweep: QboSweep | null,
  { start, asOf, isGap }: Success,
): Promise<void> {
  const now = context.clock.now();
  const webhookSeenAt = await lastWebhookAt(context.em, connection, sweep);
  const gapSeenAt = isGap ? now : (sweep?.gapSeenAt ?? null);
  const isHealthy = webhookSeenAt !== null && (gapSeenAt === null || webhookSeenAt > gapSeenAt);
  await recordRun(context, connection, {
    watermark: asOf > start ? asOf : start,
    lastSweptAt: now,
    gapSeenAt,
    webhookSeenAt,
    nextSweepAt: later(context, isHealthy ? context.waits.sweepMs : context.waits.anxiousSweepMs),
  });
}

async function lastWebhookAt(
  em: EntityManager,
  { realmId }: QboConnection,
  sweep: QboSweep | null,
): Promise<Date | null> {
  const [row] = await em.fork().execute<{ last: string | null }[]>(
    `select max(received_at) as last from webhook_event
     where provider = 'QBO' and company_id = ? and not starts_with(event_id, '${OWN_EVENT_PREFIX}')`,
    [realmId],
  );
  const last = row?.last ? new Date(row.last) : null;
  return last ?? sweep?.webhookSeenAt ?? null;
}

async function fail(
  context: QboContext,
  connection: QboConnection,
  { message, retryAt }: { readonly message: string; readonly retryAt?: Date },
): Promise<QboSweepReport> {
  const nextSweepAt = retryAt ?? later(context, context.waits.anxiousSweepMs);
  await recordRun(context, connection, { lastError: message, nextSweepAt });
  return { ...report('failed'), reason: message };
}

function later({ clock }: QboContext, milliseconds: number): Date {
  return new Date(clock.now().getTime() + milliseconds);
}

async function recordRun(
  { em, clock }: QboContext,
  connection: QboConnection,
  changes: Partial<QboSweep> & Pick<QboSweep, 'nextSweepAt'>,
): Promise<void> {
  await em.fork().upsert(QboSweep, { connection: connection.id, lastRunAt: clock.now(), lastError: null, ...changes });
}
