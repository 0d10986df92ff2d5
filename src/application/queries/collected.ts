import type { EntityManager } from '@mikro-orm/postgresql';
import type { CurrencyCode } from '../../domain/currency.js';
import { type MinorUnits, minorUnits } from '../../domain/money.js';
import type { PaymentMethod } from '../../domain/purchase-order/payment.entity.js';
import { STANDING_PAYMENT } from '../purchase-orders/ledger-sql.js';

/** Money that came for a conference in a month, one way and in one currency. */
export interface CollectedRow {
  /** First day of the month, `YYYY-MM-DD`. */
  readonly month: string;
  readonly method: PaymentMethod;
  readonly currencyCode: CurrencyCode;
  readonly count: number;
  readonly amountMinor: MinorUnits;
}

/**
 * The payments of a conference that stand, by month of the day they arrived, currency and method, oldest month first. Both
 * days are included. A reversed payment counts in no month: it never came, or its next revision says what did. One
 * statement.
 */
export async function findCollected(
  em: EntityManager,
  conferenceId: string,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<CollectedRow[]> {
  const rows = await em.execute<
    { month: string; method: PaymentMethod; currency_code: CurrencyCode; count: number; amount: string }[]
  >(
    `select date_trunc('month', paid_on::timestamp)::date::text as month, method, purchase_order.currency_code,
       count(*)::int as count, sum(amount_minor)::text as amount
     from payment join purchase_order on purchase_order.id = purchase_order_id
     where conference_id = ? and paid_on between ?::date and ?::date and ${STANDING_PAYMENT}
     group by 1, 2, 3 order by 1, 3, 2`,
    [conferenceId, from, to],
  );
  return rows.map(({ month, method, currency_code: currencyCode, count, amount }) => ({
    month,
    method,
    currencyCode,
    count,
    amountMinor: minorUnits(BigInt(amount)),
  }));
}
