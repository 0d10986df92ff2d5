import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { CollectedRow } from '../../../application/queries/collected.js';
import type { OutstandingRow } from '../../../application/queries/outstanding.js';
import type { ReceivableAge, Receivables } from '../../../application/queries/receivables.js';
import { PaymentMethod } from '../../../domain/purchase-order/payment.entity.js';
import { connectionType } from '../connection.js';
import { Money } from '../money.type.js';
import { CalendarDate, CurrencyCodeEnum } from '../scalars.js';

const ReceivableAgeEnum: Record<ReceivableAge, ReceivableAge> = {
  NOT_DUE: 'NOT_DUE',
  DAYS_0_30: 'DAYS_0_30',
  DAYS_31_60: 'DAYS_31_60',
  DAYS_61_90: 'DAYS_61_90',
  DAYS_OVER_90: 'DAYS_OVER_90',
};

registerEnumType(ReceivableAgeEnum, {
  name: 'ReceivableAge',
  description:
    'For how many days money has been due. An order without a due date was due on the day it was sent or invoiced; one that was only paid in part, when it was created.',
  valuesConfig: {
    NOT_DUE: { description: 'The due date is still to come.' },
    DAYS_0_30: { description: 'Due on that day, or for up to 30 days.' },
    DAYS_31_60: { description: 'Due for 31 to 60 days.' },
    DAYS_61_90: { description: 'Due for 61 to 90 days.' },
    DAYS_OVER_90: { description: 'Due for more than 90 days.' },
  },
});

@ObjectType('ReceivableBucket', { description: 'What has been due for about the same time.', simpleResolvers: true })
export class ReceivableBucketType {
  @Field(() => ReceivableAgeEnum, { description: 'For how long.' })
  age!: ReceivableAge;

  @Field(() => Int, { description: 'How many purchase orders.' })
  count!: number;

  @Field(() => Money, { description: 'What is due on them together.' })
  amount!: Money;
}

@ObjectType('Receivables', { description: 'What is due of a conference in one currency.', simpleResolvers: true })
export class ReceivablesType {
  @Field(() => CurrencyCodeEnum, { description: 'The currency.' })
  currencyCode!: string;

  @Field(() => Int, { description: 'How many purchase orders; the sum of the buckets.' })
  count!: number;

  @Field(() => Money, { description: 'What is due altogether; the sum of the buckets.' })
  total!: Money;

  @Field(() => [ReceivableBucketType], { description: 'By age: always all five, empty ones included.' })
  buckets!: ReceivableBucketType[];
}

@ObjectType('Collected', {
  description: 'Money that came in a month, one way and in one currency.',
  simpleResolvers: true,
})
export class CollectedType {
  @Field(() => CalendarDate, { description: 'First day of the month.' })
  month!: string;

  @Field(() => PaymentMethod, { description: 'How it came.' })
  method!: PaymentMethod;

  @Field(() => Int, { description: 'How many payments.' })
  count!: number;

  @Field(() => Money, { description: 'How much.' })
  amount!: Money;
}

@ObjectType('OrganizationBalance', {
  description: 'What an organisation owes of a conference.',
  simpleResolvers: true,
})
export class OrganizationBalanceType {
  @Field(() => String, { description: 'Its name as on its latest order; names that differ in case only are one.' })
  organizationName!: string;

  @Field(() => Int, { description: 'How many of its purchase orders are unpaid.' })
  count!: number;

  @Field(() => Money, { description: 'What is due on them together.' })
  amount!: Money;
}

export const OrganizationBalanceConnection = connectionType('OrganizationBalance', OrganizationBalanceType);

export function presentReceivables({ currencyCode, count, totalMinor, buckets }: Receivables): ReceivablesType {
  return {
    currencyCode,
    count,
    total: new Money(totalMinor, currencyCode),
    buckets: buckets.map(({ amountMinor, ...bucket }) => ({ ...bucket, amount: new Money(amountMinor, currencyCode) })),
  };
}

export function presentCollected({ month, method, count, amountMinor, currencyCode }: CollectedRow): CollectedType {
  return { month, method, count, amount: new Money(amountMinor, currencyCode) };
}

export function presentOrganizationBalance(row: OutstandingRow): OrganizationBalanceType {
  const { organizationName, count, amountMinor, currencyCode } = row;
  return { organizationName, count, amount: new Money(amountMinor, currencyCode) };
}
