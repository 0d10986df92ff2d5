import { isCalendarDay } from '../../domain/clock.js';
import { type CurrencyCode, isCurrencyCode } from '../../domain/currency.js';
import { type AmountProblem, isAmount, parseAmount } from '../../domain/money.js';
import { DUE_DATE_OR_NEVER, SEARCHED_TEXT } from '../../domain/purchase-order/purchase-order.entity.js';
import { PurchaseOrderStatus } from '../../domain/purchase-order/purchase-order.status.js';
import type { Fragment } from './keyset.js';
import { PageRequestError } from './page.js';

/** Which purchase orders to list; everything given must hold. */
export interface PurchaseOrderFilter {
  readonly statusIn?: readonly PurchaseOrderStatus[] | null;
  /** Part of the reference, the organisation's name, the buyer's reference or the e-mail address, in any case. */
  readonly search?: string | null;
  /** The whole name, in any case. */
  readonly organizationName?: string | null;
  readonly reference?: string | null;
  /** In any case. */
  readonly buyerReference?: string | null;
  readonly currencyCode?: string | null;
  /** Decimals in major units of `currencyCode`, without which they mean nothing. Both ends are included. */
  readonly totalMin?: string | null;
  readonly totalMax?: string | null;
  readonly balanceMin?: string | null;
  readonly balanceMax?: string | null;
  readonly createdFrom?: Date | null;
  readonly createdBefore?: Date | null;
  /** Calendar days; both ends are included. */
  readonly dueFrom?: string | null;
  readonly dueTo?: string | null;
  readonly isInvoiced?: boolean | null;
  readonly isUnpaid?: boolean | null;
  readonly isOverdue?: boolean | null;
}

const UNPAID: readonly PurchaseOrderStatus[] = [PurchaseOrderStatus.SENT, PurchaseOrderStatus.PARTIALLY_PAID];
const NOT_UNPAID = Object.values(PurchaseOrderStatus).filter((status) => !UNPAID.includes(status));

/** Something is due, and the buyer was told so. What `deriveStatus` calls these has a balance above zero. */
export const IS_UNPAID = hasStatus(UNPAID);

/** Said without "not", for which no index could be used. */
const IS_NOT_UNPAID = hasStatus(NOT_UNPAID);

/** Unpaid after its day has ended where the conference is; the statement has that time zone as `scope_timezone`. */
const IS_OVERDUE = `${IS_UNPAID} and ${DUE_DATE_OR_NEVER} < (now() at time zone scope_timezone)::date`;

const MAX_TEXT = 300;

/** The conditions on the rows of `purchase_order`. */
export function filterConditions(filter: PurchaseOrderFilter): (Fragment | undefined)[] {
  const { organizationName, reference, buyerReference, search, currencyCode } = filter;
  return [
    filter.statusIn?.length === 0 ? { sql: 'false', params: [] } : given('status in (?)', filter.statusIn),
    search ? given(`${SEARCHED_TEXT} ilike ?`, containing(text('search', search))) : undefined,
    given('lower(organization_name) = lower(?)', text('organizationName', organizationName)),
    given('reference = upper(?)', text('reference', reference)),
    // An index leaves out the many orders without one.
    given("buyer_reference <> '' and lower(buyer_reference) = lower(?)", text('buyerReference', buyerReference)),
    given('currency_code = ?', currencyCode),
    given('total_minor >= ?::bigint', amount(filter, 'totalMin')),
    given('total_minor <= ?::bigint', amount(filter, 'totalMax')),
    given('balance_minor >= ?::bigint', amount(filter, 'balanceMin')),
    given('balance_minor <= ?::bigint', amount(filter, 'balanceMax')),
    given('created_at >= ?', time('createdFrom', filter.createdFrom)),
    given('created_at < ?', time('createdBefore', filter.createdBefore)),
    given(`${DUE_DATE_OR_NEVER} >= ?::date and due_date is not null`, day('dueFrom', filter.dueFrom)),
    given(`${DUE_DATE_OR_NEVER} <= ?::date`, day('dueTo', filter.dueTo)),
    whether(filter.isInvoiced, 'is_invoiced'),
    whether(filter.isUnpaid, IS_UNPAID, IS_NOT_UNPAID),
    whether(filter.isOverdue, IS_OVERDUE),
  ];
}

function hasStatus(statuses: readonly PurchaseOrderStatus[]): string {
  return `status in (${statuses.map((status) => `'${status}'`).join(', ')})`;
}

function given(sql: string, value: unknown): Fragment | undefined {
  return value == null ? undefined : { sql, params: [value] };
}

function whether(
  wanted: boolean | null | undefined,
  condition: string,
  opposite = `not (${condition})`,
): Fragment | undefined {
  return wanted == null ? undefined : { sql: wanted ? condition : opposite, params: [] };
}

function containing(part: string | undefined): string {
  return `%${String(part).replace(/[\\%_]/g, '\\$&')}%`;
}

function text(field: string, value: string | null | undefined): string | undefined {
  if (value != null && value.length > MAX_TEXT) {
    throw new PageRequestError(`"${field}" can have ${MAX_TEXT} characters at most.`);
  }
  return value ?? undefined;
}

type AmountField = 'totalMin' | 'totalMax' | 'balanceMin' | 'balanceMax';

const AMOUNT_PROBLEMS: Record<AmountProblem, string> = {
  NOT_A_NUMBER: 'is not a decimal number',
  TOO_MANY_DIGITS: 'has more decimals than its currency',
  TOO_LARGE: 'has more than 15 digits',
};

function amount(filter: PurchaseOrderFilter, field: AmountField): string | undefined {
  const decimal = filter[field];
  if (decimal == null) return undefined;
  const { currencyCode } = filter;
  if (currencyCode == null || !isCurrencyCode(currencyCode)) {
    throw new PageRequestError(`"${field}" needs "currencyCode": an amount means nothing without it.`);
  }
  const read = parseAmount(decimal, currencyCode as CurrencyCode);
  if (!isAmount(read)) throw new PageRequestError(`"${field}" ${AMOUNT_PROBLEMS[read]}.`);
  return read.toString();
}

/** PostgreSQL's calendar has no year 0, which JavaScript's has. */
function time(field: string, value: Date | null | undefined): Date | undefined {
  if (value != null && !isCalendarDay(value.toISOString().slice(0, 10))) {
    throw new PageRequestError(`"${field}" is not a time between the years 1 and 9999.`);
  }
  return value ?? undefined;
}

function day(field: string, value: string | null | undefined): string | undefined {
  if (value != null && !isCalendarDay(value)) throw new PageRequestError(`"${field}" is not a day of the calendar.`);
  return value ?? undefined;
}
