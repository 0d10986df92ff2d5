import type { EntityManager } from '@mikro-orm/postgresql';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { ProviderPaymentRecord, ProviderPaymentStatus } from '../../domain/invoice/provider-payment.entity.js';
import { ZERO } from '../../domain/money.js';
import type { ProviderPayment } from '../ports/accounting.js';
import type { QboContext } from './qbo-context.js';

/**
 * Ids of the payments that QuickBooks may no longer list with an invoice but that still matter to it: those booked on
 * it, and those of which a rest is applied to nothing. To be read together with the invoice's own.
 */
export async function paymentsToFollow(em: EntityManager, invoice: Invoice): Promise<string[]> {
  const booked = [invoice.purchaseOrder.id, invoice.companyId, invoice.externalId];
  const rows: { id: string }[] = await em.execute(
    `select distinct id from (
       select provider_payment_id as id, exists (select from payment_reversal where payment_id = payment.id) as reversed
       from payment where purchase_order_id = ? and provider_company = ? and provider_invoice_id = ?
       union all
       select provider_payment_id, exists (select from credit_note_reversal where credit_note_id = credit_note.id)
       from credit_note where purchase_order_id = ? and provider_company = ? and provider_invoice_id = ?
     ) as booked
     where not reversed or exists (
       select from provider_payment
       where provider = ? and company_id = ? and external_id = booked.id and unapplied_minor > 0)`,
    [...booked, ...booked, invoice.provider, invoice.companyId],
  );
  return rows.map(({ id }) => id);
}

export interface SeenPayments {
  readonly payments: readonly ProviderPayment[];
  /** Ids that QuickBooks no longer knows. */
  readonly deletedPaymentIds: readonly string[];
}

/**
 * Remembers what QuickBooks says of payments. Two invoices of different orders can share one: the rows are written in
 * the order of their ids, and an answer that is older than what is stored is left out, which the sync token tells.
 */
export async function rememberPayments(
  tx: EntityManager,
  context: QboContext,
  invoice: Invoice,
  { payments, deletedPaymentIds }: SeenPayments,
): Promise<void> {
  if (payments.length > 0) {
    const rows = payments
      .toSorted((left, right) => (left.externalId < right.externalId ? -1 : 1))
      .map((payment) => columnsOf(context, invoice, payment));
    await tx.execute(
      UPSERT.replace('ROWS', rows.map((row) => `(${row.map(() => '?').join(', ')})`).join(', ')),
      rows.flat(),
    );
  }
  if (deletedPaymentIds.length > 0) {
    await tx.nativeUpdate(
      ProviderPaymentRecord,
      { provider: invoice.provider, companyId: invoice.companyId, externalId: { $in: [...deletedPaymentIds] } },
      { ...ENDED, updatedAt: context.clock.now() },
    );
  }
}

const ENDED = { status: ProviderPaymentStatus.DELETED, unappliedMinor: ZERO, unappliedSince: null };

const UPSERT = `
  insert into provider_payment (id, provider, company_id, external_id, status, currency_code, total_minor,
    unapplied_minor, unapplied_since, paid_on, sync_token, created_at, updated_at)
  values ROWS
  on conflict (provider, company_id, external_id) do update set
    status = excluded.status, currency_code = excluded.currency_code, total_minor = excluded.total_minor,
    unapplied_minor = excluded.unapplied_minor, paid_on = excluded.paid_on, sync_token = excluded.sync_token,
    unapplied_since = case when excluded.unapplied_minor > 0
      then coalesce(provider_payment.unapplied_since, excluded.unapplied_since) end,
    updated_at = excluded.updated_at
  where (length(excluded.sync_token), excluded.sync_token) > (length(provider_payment.sync_token), provider_payment.sync_token)
    or (excluded.sync_token = provider_payment.sync_token and provider_payment.status <> 'DELETED')`;

function columnsOf({ ids, clock }: QboContext, { provider, companyId }: Invoice, payment: ProviderPayment): unknown[] {
  const now = clock.now();
  const status = payment.voided ? ProviderPaymentStatus.VOIDED : ProviderPaymentStatus.STANDING;
  const unapplied = payment.voided ? ZERO : payment.unapplied;
  const { externalId, currency, total, paidOn, syncToken } = payment;
  const unappliedSince = unapplied > ZERO ? now : null;
  return [
    ids.next('ppay'),
    provider,
    companyId,
    externalId,
    status,
    currency,
    total,
    unapplied,
    unappliedSince,
    paidOn,
    syncToken,
    now,
    now,
  ];
}
