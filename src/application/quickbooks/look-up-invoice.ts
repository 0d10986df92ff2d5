import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { formatAmount } from '../../domain/money.js';
import { companyIdOf } from '../../domain/quickbooks/qbo-connection.entity.js';
import { isReplayable } from '../operations/provider-operations.js';
import type { ProviderInvoice, WantedInvoices } from '../ports/accounting.js';
import { failed, isNotFound, type ProviderFailure, type ProviderResult, succeeded } from '../ports/provider.js';
import type { ClaimedInvoice } from './claim-invoice.js';
import type { QboContext } from './qbo-context.js';
import type { SentInvoice } from './settle-invoice.js';

/** Whether an invoice whose sending got no answer exists in QuickBooks. */
export type LookUp =
  | { readonly status: 'found'; readonly invoice: ProviderInvoice }
  /** Ours does not exist, and its number belongs to a document that is not ours. */
  | { readonly status: 'foreign'; readonly failure: ProviderFailure }
  | { readonly status: 'nothing' }
  | { readonly status: 'failed'; readonly failure: ProviderFailure };

/** How to look: the text that was sent, and QuickBooks' id of the document that is said to be in the way. */
export interface Trace {
  readonly body: string;
  readonly conflictingId?: string | undefined;
}

/**
 * Looks for the invoice among the customer's newer ones and, if it has a number of ours, by that. It is ours when its
 * private note bears the operation's id; nothing else makes a document ours.
 */
export async function lookUpInvoice(context: QboContext, claimed: ClaimedInvoice, trace: Trace): Promise<LookUp> {
  const strangers: ProviderInvoice[] = [];
  for (const look of waysToLook(context, claimed, trace)) {
    const found = await look();
    if (!found.ok) return { status: 'failed', failure: found.failure };
    const own = await ownAmong(context, claimed, found.value);
    if (own) return { status: 'found', invoice: own };
    strangers.push(...found.value);
  }
  const { documentNumber } = context.accounting.readSentInvoice(trace.body);
  const holder = strangers.find(
    ({ number, externalId }) => externalId === trace.conflictingId || (number && number === documentNumber),
  );
  return holder ? { status: 'foreign', failure: numberTaken(holder) } : { status: 'nothing' };
}

type Look = () => Promise<ProviderResult<readonly ProviderInvoice[]>>;

function waysToLook(
  context: QboContext,
  { connection, operation }: ClaimedInvoice,
  { body, conflictingId }: Trace,
): Look[] {
  const { accounting, waits } = context;
  const { customerExternalId, documentNumber } = accounting.readSentInvoice(body);
  const createdSince = new Date(operation.createdAt.getTime() - waits.lookUpMarginMs);
  const find = (wanted: WantedInvoices) => () => accounting.findInvoices(connection.id, wanted, operation.id);
  return [
    ...(conflictingId === undefined ? [] : [() => readIfInvoice(context, connection.id, conflictingId)]),
    find({ customerExternalId, createdSince }),
    ...(documentNumber === undefined ? [] : [find({ documentNumber })]),
  ];
}

/** The document in the way may be something else than an invoice, e.g. a credit memo; then it is certainly not ours. */
async function readIfInvoice(
  { accounting }: QboContext,
  connectionId: string,
  externalId: string,
): Promise<ProviderResult<ProviderInvoice[]>> {
  const read = await accounting.readInvoice(connectionId, externalId);
  if (read.ok) return succeeded([read.value], read.trace);
  return isNotFound(read.failure) ? succeeded([], read.failure.trace) : read;
}

/** A bookkeeper's copy bears the note, too: the oldest one is the one that was sent. */
async function ownAmong(
  { em }: QboContext,
  { operation, connection, invoiceId }: ClaimedInvoice,
  candidates: readonly ProviderInvoice[],
): Promise<ProviderInvoice | undefined> {
  const marked = candidates.filter(({ note }) => note.includes(operation.id));
  if (marked.length === 0) return undefined;
  const taken = await em.fork().find(Invoice, {
    id: { $ne: invoiceId },
    companyId: companyIdOf(connection),
    externalId: { $in: marked.map(({ externalId }) => externalId) },
  });
  const [oldest] = marked
    .filter(({ externalId }) => !taken.some((invoice) => invoice.externalId === externalId))
    .toSorted((left, right) => left.externalId.localeCompare(right.externalId, 'en', { numeric: true }));
  return oldest;
}

function numberTaken({ number, externalId, total, currency }: ProviderInvoice): ProviderFailure {
  const document = `invoice ${externalId} over ${formatAmount(total, currency)} ${currency}`;
  return {
    kind: 'rejected',
    reason: 'duplicate_number',
    code: '6140',
    message: `The number ${number} belongs to another document (${document}), which was left alone. The next attempt uses another number.`,
    conflictingId: externalId,
    trace: {},
  };
}

/**
 * Looks into an answer that hints at a document which is there already: a number that is taken may be taken by what an
 * earlier sending made, and a request id that is known belongs to a request that was carried out or still is.
 */
export async function resolveHint(
  context: QboContext,
  claimed: ClaimedInvoice,
  sent: SentInvoice,
): Promise<SentInvoice> {
  const { result } = sent;
  if (result.ok || !isHint(result.failure)) return sent;
  const { failure } = result;
  const conflictingId = failure.kind === 'rejected' ? failure.conflictingId : undefined;
  const lookUp = await lookUpInvoice(context, claimed, { body: sent.body, conflictingId });
  switch (lookUp.status) {
    case 'found':
      return { ...sent, result: succeeded(lookUp.invoice, failure.trace), isAdopted: true };
    case 'foreign':
      return { ...sent, result: failed({ ...lookUp.failure, trace: failure.trace }), isProven: true };
    case 'nothing':
      return provenByAbsence(context, claimed, sent, failure);
    case 'failed':
      return sent;
  }
}

function isHint(failure: ProviderFailure): boolean {
  return failure.kind === 'unknown' ? failure.isRepetition === true : isNumberTaken(failure);
}

function isNumberTaken(failure: ProviderFailure): boolean {
  return failure.kind === 'rejected' && failure.reason === 'duplicate_number';
}

/** A request that is known, is over by now and left no invoice behind made one that was deleted, or none at all. */
function provenByAbsence(
  context: QboContext,
  { operation }: ClaimedInvoice,
  sent: SentInvoice,
  { message, trace }: ProviderFailure,
): SentInvoice {
  if (!sent.result.ok && isNumberTaken(sent.result.failure)) return { ...sent, isProven: true };
  if (isReplayable(context, operation)) return sent;
  const gone = `${message} No such invoice is left there, so it was deleted.`;
  return {
    ...sent,
    result: failed({ kind: 'rejected', reason: 'not_found', code: '600', message: gone, trace }),
    isProven: true,
  };
}
