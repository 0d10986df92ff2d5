import type { EntityManager } from '@mikro-orm/postgresql';
import type { CurrencyCode } from '../../domain/currency.js';
import { type MinorUnits, minorUnits } from '../../domain/money.js';
import { keysetClauses, type SortKey, whereClause } from './keyset.js';
import { type Page, type PageRequest, readPageRequest, toPage } from './page.js';
import { IS_UNPAID } from './purchase-order-filter.js';

/** What an organisation owes of a conference in one currency. */
export interface OutstandingRow {
  /** Tells it apart within the list. */
  readonly id: string;
  readonly organizationName: string;
  readonly currencyCode: CurrencyCode;
  readonly count: number;
  readonly amountMinor: MinorUnits;
}

export interface ListOutstanding extends PageRequest {
  readonly conferenceId: string;
  /** By default that of the conference. */
  readonly currencyCode?: string | null;
}

const LARGEST: SortKey = { column: 'amount', cast: 'bigint', accepts: (text) => /^\d{1,18}$/.test(text) };

/** Names that differ in case only are one organisation, shown as on its latest order. */
const OUTSTANDING = `(
  select 'org_' || md5(lower(organization_name)) as id, count(*)::int as count, sum(balance_minor)::bigint as amount,
    (array_agg(organization_name order by created_at desc, purchase_order.id desc))[1] as organization_name, currency_code
  from purchase_order where conference_id = ? and ${IS_UNPAID}
    and currency_code = coalesce(?, (select currency_code from conference where conference.id = ?))
  group by lower(organization_name), currency_code) as outstanding`;

/** One page of the organisations that owe something, the largest sum first. One statement. */
export async function listOutstanding(em: EntityManager, request: ListOutstanding): Promise<Page<OutstandingRow>> {
  const window = readPageRequest(request);
  const { conditions, orderAndLimit } = keysetClauses(LARGEST, 'DESC', window);
  const { sql, params } = whereClause(conditions, orderAndLimit);
  const rows = await em.execute<
    { id: string; organization_name: string; currency_code: CurrencyCode; count: number; sum: string }[]
  >(`select id, organization_name, currency_code, count, amount::text as sum from ${OUTSTANDING} ${sql}`, [
    ...owing(request),
    ...params,
  ]);
  const found = rows.map(({ id, organization_name, currency_code, count, sum }) => ({
    id,
    organizationName: organization_name,
    currencyCode: currency_code,
    count,
    amountMinor: minorUnits(BigInt(sum)),
  }));
  return toPage(found, window, (row) => [row.amountMinor.toString(), row.id]);
}

/** How many organisations owe something. */
export async function countOutstanding(em: EntityManager, request: ListOutstanding): Promise<number> {
  const [row] = await em.execute<{ count: number }[]>(
    `select count(*)::int as count from ${OUTSTANDING}`,
    owing(request),
  );
  return row?.count ?? 0;
}

function owing({ conferenceId, currencyCode }: ListOutstanding): unknown[] {
  return [conferenceId, currencyCode ?? null, conferenceId];
}
