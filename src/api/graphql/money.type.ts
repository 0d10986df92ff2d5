import { Field, ObjectType } from 'type-graphql';
import type { CurrencyCode } from '../../domain/currency.js';
import { formatAmount, type MinorUnits } from '../../domain/money.js';
import { CurrencyCodeEnum, Decimal } from './scalars.js';

@ObjectType({ description: 'An amount of money.', simpleResolvers: true })
export class Money {
  @Field(() => Decimal, { description: 'The amount in major units, with exactly the digits its currency has.' })
  readonly amount: string;

  @Field(() => CurrencyCodeEnum, { description: 'The currency of the amount.' })
  readonly currencyCode: string;

  constructor(amount: MinorUnits, currencyCode: CurrencyCode) {
    this.amount = formatAmount(amount, currencyCode);
    this.currencyCode = currencyCode;
  }
}
