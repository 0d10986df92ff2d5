import type { EntityManager } from '@mikro-orm/postgresql';
import type { CurrencyCode } from '../../domain/currency.js';
import { add, type MinorUnits, minorUnits, ZERO } from '../../domain/money.js';
import { IS_UNPAID } from './purchase-order-filter.js';

/** For how many days money has been due. */
export const RECEIVABLE_AGES = ['NOT_DUE', 'DAYS_0_30', 'DAYS_31_60', 'DAYS_61_90', 'DAYS_OVER_90'] as const;

export type ReceivableAge = (typeof RECEIVABLE_AGES)[number];

export interface ReceivableBucket {
  readonly age: ReceivableAge;
  readonly count: number;
  readonly amountMinor: MinorUnits;
}

/** What is due of a conference in one currency. The buckets, all five of them, add up to the total. */
export interface Receivables {
  readonly currencyCode: CurrencyCode;
  readonly count: number;
  readonly totalMinor: MinorUnits;
  readonly buckets: readonly ReceivableBucket[];
}

/** The day on which an order without a due date was due: when it was sent or invoiced, else created. */
const DUE_DAY = `coalesce(due_date, (coalesce(sent_at, purchase_order.created_at) at time zone conference.timezone)::date)`;

/**
 * What is due of a conference's purchase orders, by currency and age, the currency with the earliest code first. One
 * statement. `asOf` is a calendar day, by default today in the conference's time zone; the balances are those of now.
 */
export async function findReceivables(
  em: EntityManager,
  conferenceId: string,
  asOf: string | null,
): Promise<Receivables[]> {
  const rows = await em.execute<{ currency_code: CurrencyCode; age: ReceivableAge; count: number; amount: string }[]>(
    `select currency_code, age, count(*)::int as count, sum(balance_minor)::text as amount
     from (
       select purchase_order.currency_code, balance_minor,
         case when late < 0 then 'NOT_DUE' when late <= 30 then 'DAYS_0_30' when late <= 60 then 'DAYS_31_60'
           when late <= 90 then 'DAYS_61_90' else 'DAYS_OVER_90' end as age
       from purchase_order join conference on conference.id = conference_id cross join lateral (
         select coalesce(?::date, (now() at time zone conference.timezone)::date) - ${DUE_DAY} as late) as lateness
       where conference_id = ? and ${IS_UNPAID}) as aged
     group by currency_code, age order by currency_code`,
    [asOf, conferenceId],
  );
  return [...Map.groupBy(rows, (row) => row.currency_code)].map(([currencyCode, ofCurrency]) => {
    const buckets = RECEIVABLE_AGES.map((age) => {
      const found = ofCurrency.find((row) => row.age === age);
      return { age, count: found?.count ?? 0, amountMinor: minorUnits(BigInt(found?.amount ?? 0)) };
    });
    return {
      currencyCode,
      count: buckets.reduce((count, bucket) => count + bucket.count, 0),
      totalMinor: buckets.reduce((total, bucket) => add(total, bucket.amountMinor), ZERO),
      buckets,
    };
  });
}
