import type { EntityManager } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { type MinorUnits, minorUnits, subtract, sum } from '../../domain/money.js';
import type { ProviderInvoice, ProviderPayment } from '../ports/accounting.js';
import { STANDING_CREDIT, STANDING_PAYMENT } from '../purchase-orders/ledger-sql.js';

/** What stands booked on an invoice, money and credit together: amounts by QuickBooks' ids of the payments. */
export type BookedAmounts = ReadonlyMap<string, MinorUnits>;

const bookedRows = z.array(z.object({ invoice: z.string(), payment: z.string(), amount: z.string() }));

/**
 * The standing bookings of several invoices of one company, by QuickBooks' ids of the invoices. The ids come as an array,
 * because PostgreSQL does not push a sub-select down to the indexes of both tables.
 */
export async function bookedAmounts(
  em: EntityManager,
  companyId: string,
  externalIds: readonly string[],
): Promise<Map<string, BookedAmounts>> {
  const rows = await em.fork().execute(
    `select provider_invoice_id as invoice, provider_payment_id as payment, sum(amount_minor)::text as amount
     from (
       select provider_company, provider_invoice_id, provider_payment_id, amount_minor from payment where ${STANDING_PAYMENT}
       union all
       select provider_company, provider_invoice_id, provider_payment_id, amount_minor from credit_note where ${STANDING_CREDIT}
     ) as standing
     where provider_company = ? and provider_invoice_id = any(array(select jsonb_array_elements_text(?::jsonb)))
     group by 1, 2`,
    [companyId, JSON.stringify(externalIds)],
  );
  const booked = new Map<string, Map<string, MinorUnits>>();
  for (const { invoice, payment, amount } of bookedRows.parse(rows)) {
    booked.set(invoice, (booked.get(invoice) ?? new Map()).set(payment, minorUnits(BigInt(amount))));
  }
  return booked;
}

/** What a payment took off the balance of an invoice, as money or by credit. */
export function appliedAmount(payment: ProviderPayment, invoiceExternalId: string): MinorUnits {
  const isToInvoice = ({ kind, externalId }: ProviderPayment['applications'][number]) =>
    kind === 'invoice' && externalId === invoiceExternalId;
  return sum(payment.applications.filter(isToInvoice).map(({ amount }) => amount));
}

/**
 * What was taken off the invoice beyond these amounts. Unless it is zero something changed that nobody told, payments are
 * shown later than their invoice, or the balance was lowered by something else: a deposit entered on the invoice itself.
 */
export function unexplainedBy(amounts: readonly MinorUnits[], { total, balance }: ProviderInvoice): MinorUnits {
  return subtract(subtract(total, balance), sum(amounts));
}
