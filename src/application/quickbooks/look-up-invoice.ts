import { formatAmount } from '../../domain/money.js';
import type { ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import { companyIdOf } from '../../domain/quickbooks/qbo-connection.entity.js';
import { unsettledSendings, withoutThoseOfOthers } from '../invoicing/own-sendings.js';
import type { ProviderInvoice, WantedInvoices } from '../ports/accounting.js';
import {
  isNotFound,
  type ProviderFailure,
  type ProviderResult,
  type ProviderTrace,
  succeeded,
} from '../ports/provider.js';
import type { ClaimedInvoice } from './claim-qbo-invoice.js';
import type { QboContext } from './qbo-context.js';

/** Whether an invoice whose sending got no answer exists in QuickBooks. */
export type LookUp =
  | { readonly status: 'found'; readonly invoice: ProviderInvoice; readonly trace: ProviderTrace }
  /** Ours does not exist, and its number belongs to a document that is not ours. */
  | { readonly status: 'foreign'; readonly failure: ProviderFailure }
  /** A document with our number may be ours or not: only a person can tell. */
  | { readonly status: 'doubtful'; readonly failure: ProviderFailure }
  | { readonly status: 'nothing' }
  | { readonly status: 'failed'; readonly failure: ProviderFailure };

/** How to look: the text that was sent, and what QuickBooks answered to it, if anything. */
export interface Trace {
  readonly body: string;
  readonly refusal?: ProviderFailure;
}

/**
 * Looks for the invoice among the customer's newer ones and, if it has a number of ours, by that. It is ours when its
 * private note bears the id of an operation for this order; nothing else makes a document ours.
 */
export async function lookUpInvoice(context: QboContext, claimed: ClaimedInvoice, trace: Trace): Promise<LookUp> {
  const strangers: ProviderInvoice[] = [];
  const sendings = await unsettledSendings(context.em.fork(), claimed.operation);
  for (const look of waysToLook(context, claimed, trace, sendings)) {
    const found = await look();
    if (!found.ok) return { status: 'failed', failure: found.failure };
    const own = await ownAmong(context, claimed, sendings, found.value);
    if (own) return { status: 'found', invoice: own, trace: found.trace };
    strangers.push(...found.value);
  }
  const { documentNumber } = context.accounting.readSentInvoice(trace.body);
  const holder = strangers.find(
    ({ number, externalId }) => externalId === conflictingId(trace) || (number && number === documentNumber),
  );
  if (!holder) return { status: 'nothing' };
  const hasOurNumber = documentNumber !== undefined && holder.number === documentNumber;
  const isDoubtful = hasOurNumber && (await maySecretlyBeOurs(context, claimed, holder));
  return isDoubtful
    ? { status: 'doubtful', failure: askAPerson(holder, claimed.operation) }
    : { status: 'foreign', failure: numberTaken(holder) };
}

type Look = () => Promise<ProviderResult<readonly ProviderInvoice[]>>;

function waysToLook(
  context: QboContext,
  { connection }: ClaimedInvoice,
  trace: Trace,
  sendings: readonly ProviderOperation[],
): Look[] {
  const { accounting, waits } = context;
  const { customerExternalId, documentNumber } = accounting.readSentInvoice(trace.body);
  const firstClaim = Math.min(...sendings.map(({ createdAt }) => createdAt.getTime()));
  const createdSince = new Date(firstClaim - waits.lookUpMarginMs);
  const conflicting = conflictingId(trace);
  const marks = sendings.map(({ id }) => id);
  const find = (wanted: WantedInvoices) => () => accounting.findInvoices(connection.id, wanted, marks);
  return [
    ...(conflicting === undefined ? [] : [() => readIfInvoice(context, connection.id, conflicting)]),
    find(isCustomerGone(trace) ? { createdSince } : { customerExternalId, createdSince }),
    ...(documentNumber === undefined ? [] : [find({ documentNumber })]),
  ];
}

/** QuickBooks' id of the document that is said to be in the way. */
function conflictingId({ refusal }: Trace): string | undefined {
  return refusal?.kind === 'rejected' ? refusal.conflictingId : undefined;
}

/** The invoices of a customer that was merged into another are that other's now. */
function isCustomerGone({ refusal }: Trace): boolean {
  return refusal?.kind === 'rejected' && refusal.reason === 'bad_reference';
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
  context: QboContext,
  claimed: ClaimedInvoice,
  sendings: readonly ProviderOperation[],
  candidates: readonly ProviderInvoice[],
): Promise<ProviderInvoice | undefined> {
  const marked = candidates.filter(({ note }) => sendings.some(({ id }) => note.includes(id)));
  const free = await notOfOthers(context, claimed, marked);
  const [oldest] = free.toSorted((left, right) =>
    left.externalId.localeCompare(right.externalId, 'en', { numeric: true }),
  );
  return oldest;
}

function notOfOthers(
  { em }: QboContext,
  { connection, invoiceId }: ClaimedInvoice,
  invoices: readonly ProviderInvoice[],
): Promise<readonly ProviderInvoice[]> {
  return withoutThoseOfOthers(em.fork(), { companyId: companyIdOf(connection), invoiceId }, invoices);
}

/** A bookkeeper may have wiped the note of what an earlier sending made: it is as new and over as much. */
async function maySecretlyBeOurs(
  context: QboContext,
  claimed: ClaimedInvoice,
  holder: ProviderInvoice,
): Promise<boolean> {
  const { order, operation } = claimed;
  const { total, currency, createdAt } = holder;
  if (operation.attempts === 0 || total !== order.totalMinor || currency !== order.currencyCode) return false;
  const claimedSince = operation.createdAt.getTime() - context.waits.lookUpMarginMs;
  if (createdAt && createdAt.getTime() < claimedSince) return false;
  return (await notOfOthers(context, claimed, [holder])).length > 0;
}

function askAPerson(holder: ProviderInvoice, { id }: ProviderOperation): ProviderFailure {
  return {
    kind: 'unknown',
    message: `Invoice ${holder.number} in QuickBooks (${described(holder)}) has the number and the total of this one, but not its mark. A person must look at it: if it is this one, add ${id} to its private note; otherwise void it or change its number.`,
    trace: {},
  };
}

function numberTaken(holder: ProviderInvoice): ProviderFailure {
  return {
    kind: 'rejected',
    reason: 'duplicate_number',
    code: '6140',
    message: `The number ${holder.number} belongs to another document (${described(holder)}), which was left alone. The next attempt uses another number.`,
    conflictingId: holder.externalId,
    trace: {},
  };
}

function described({ externalId, total, currency }: ProviderInvoice): string {
  return `invoice ${externalId} over ${formatAmount(total, currency)} ${currency}`;
}
