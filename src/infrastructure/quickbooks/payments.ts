import { z } from 'zod';
import type { ProviderPayment } from '../../application/ports/accounting.js';
import { isCalendarDay } from '../../domain/clock.js';
import { type CurrencyCode, isCurrencyCode } from '../../domain/currency.js';
import { type MinorUnits, subtract, sum, ZERO } from '../../domain/money.js';
import { readAmount } from './decimals.js';
import { instant, optionalMetaData, optionalReference } from './documents.js';
import type { QboCall } from './http-client.js';
import { pagesOf, queryCall, select, selectChanged } from './query.js';

export function readPaymentCall(externalId: string): QboCall {
  const path = `payment/${encodeURIComponent(externalId)}`;
  return { operation: 'read_payment', effect: 'read', method: 'GET', path };
}

/** One query for each 500 ids. */
export function readPaymentsCalls(externalIds: readonly string[]): QboCall[] {
  return pagesOf(externalIds).map((page) => queryCall('read_payments', select('Payment', [{ field: 'Id', in: page }])));
}

/** The first 1000, in the order of their changes. */
export function findChangedPaymentsCall(since: Date, startPosition: number): QboCall {
  return queryCall('find_changed_payments', selectChanged('Payment', since, startPosition));
}

export const paymentDocument = z.object({
  Id: z.string().min(1),
  SyncToken: z.string().regex(/^\d+$/),
  TotalAmt: z.string(),
  UnappliedAmt: z.string().nullish(),
  TxnDate: z.string().refine(isCalendarDay),
  PaymentRefNum: z.string().nullish(),
  PrivateNote: z.string().nullish(),
  CurrencyRef: optionalReference,
  MetaData: optionalMetaData,
  Line: z
    .array(
      z.object({
        Amount: z.string(),
        LinkedTxn: z.array(z.object({ TxnId: z.string(), TxnType: z.string() })).nullish(),
      }),
    )
    .nullish(),
});

export type PaymentDocument = z.output<typeof paymentDocument>;

/** Undefined: an amount that the currency cannot express, or a currency that does not exist. */
export function toProviderPayment(document: PaymentDocument, currencyCode: string): ProviderPayment | undefined {
  if (!isCurrencyCode(currencyCode)) return undefined;
  const total = readAmount(document.TotalAmt, currencyCode);
  const applications = readApplications(document, currencyCode);
  if (total === undefined || !applications) return undefined;
  const unapplied = readUnapplied(document, { currency: currencyCode, total, applications });
  if (unapplied === undefined) return undefined;
  return {
    externalId: document.Id,
    syncToken: document.SyncToken,
    currency: currencyCode,
    total,
    unapplied,
    // No field says so: a voided payment has lost its amount and lines, and its note begins with this word.
    voided: total === ZERO && applications.length === 0 && /^Voided\b/i.test(document.PrivateNote ?? ''),
    paidOn: document.TxnDate,
    referenceNumber: document.PaymentRefNum || undefined,
    applications,
    changedAt: instant(document.MetaData?.LastUpdatedTime),
  };
}

type Application = ProviderPayment['applications'][number];

/** Without a word of QuickBooks it is what the invoices left over; nothing is known to be less than zero. */
function readUnapplied(
  { UnappliedAmt }: PaymentDocument,
  { currency, total, applications }: Pick<ProviderPayment, 'currency' | 'total' | 'applications'>,
): MinorUnits | undefined {
  const lines = (wanted: Application['kind']) =>
    sum(applications.flatMap(({ kind, amount }) => (kind === wanted ? [amount] : [])));
  const unapplied = UnappliedAmt
    ? readAmount(UnappliedAmt, currency)
    : subtract(total, subtract(lines('invoice'), lines('credit')));
  return unapplied !== undefined && unapplied < ZERO ? ZERO : unapplied;
}

const KINDS: ReadonlyMap<string, Application['kind']> = new Map([
  ['Invoice', 'invoice'],
  ['CreditMemo', 'credit'],
]);

function readApplications(document: PaymentDocument, currency: CurrencyCode): Application[] | undefined {
  const applications: Application[] = [];
  for (const { Amount, LinkedTxn } of document.Line ?? []) {
    // QuickBooks links one transaction with each line; a line without any applies nothing.
    const [linked] = LinkedTxn ?? [];
    if (!linked) continue;
    const amount = readAmount(Amount, currency);
    if (amount === undefined) return undefined;
    applications.push({ kind: KINDS.get(linked.TxnType) ?? 'other', externalId: linked.TxnId, amount });
  }
  return applications;
}
