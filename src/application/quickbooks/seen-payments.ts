import type { EntityManager } from '@mikro-orm/postgresql';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { ProviderPaymentRecord, ProviderPaymentStatus } from '../../domain/invoice/provider-payment.entity.js';
import { ZERO } from '../../domain/money.js';
import type { ProviderPayment } from '../ports/accounting.js';
import { STANDING_CREDIT, STANDING_PAYMENT } from '../purchase-orders/ledger-sql.js';
import type { QboContext } from './qbo-context.js';

/** A payment that is or was booked on an invoice, by QuickBooks' ids. */
export interface FollowedPayment {
  readonly invoice: string;
  readonly payment: string;
  /** It still has a booking there. */
  readonly isStanding: boolean;
  /** A rest of it is applied to nothing. Without a booking or a rest it was taken for deleted, and may be there again. */
  readonly hasRest: boolean;
}

/** Payments that still matter to these invoices of one company, even if QuickBooks no longer lists them there. */
export async function paymentsToFollow(
  em: EntityManager,
  companyId: string,
  invoiceIds: readonly string[],
): Promise<FollowedPayment[]> {
  return em.fork().execute<FollowedPayment[]>(
    `select provider_invoice_id as invoice, provider_payment_id as payment, bool_or(is_standing) as "isStanding",
       coalesce(bool_or(seen.unapplied_minor > 0), false) as "hasRest"
     from (
       select provider_company, provider_invoice_id, provider_payment_id, ${STANDING_PAYMENT} as is_standing from payment
       union all
       select provider_company, provider_invoice_id, provider_payment_id, ${STANDING_CREDIT} from credit_note
     ) as booked
     left join provider_payment seen on seen.provider = 'QBO' and seen.company_id = booked.provider_company
       and seen.external_id = booked.provider_payment_id
     where provider_company = ? and provider_invoice_id in (select jsonb_array_elements_text(?::jsonb))
       and (is_standing or seen.unapplied_minor > 0 or seen.status = 'DELETED')
     group by 1, 2`,
    [companyId, JSON.stringify(invoiceIds)],
  );
}

/** What was read of the payments that matter to an invoice. */
export interface SeenPayments {
  /** Those applied to it, as far as they had to be read. */
  readonly payments: readonly ProviderPayment[];
  /** Those no longer applied to it, of which something may be left. */
  readonly followedPayments: readonly ProviderPayment[];
  /** Ids of such payments that QuickBooks no longer knows. */
  readonly deletedPaymentIds: readonly string[];
}

/**
 * Remembers what QuickBooks says of payments. Two invoices of different orders can share one: the rows are written in
 * the order of their ids, and an answer that is older than what is stored is left out, which the sync token tells. One that
 * was taken for deleted and is there unchanged stands again: were it the older answer, its rest would be looked at anew.
 */
export async function rememberPayments(
  tx: EntityManager,
  context: QboContext,
  invoice: Invoice,
  { payments: applied, followedPayments, deletedPaymentIds }: SeenPayments,
): Promise<void> {
  const payments = [...applied, ...followedPayments];
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
  where (length(excluded.sync_token), excluded.sync_token) >= (length(provider_payment.sync_token), provider_payment.sync_token)`;

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
