import { z } from 'zod';
import {
  calendarDay,
  computed,
  currencyReference,
  decimal,
  envelopeFields,
  reference,
  text,
  unmodelled,
} from './input.js';

/** One payment line. `LineEx`, which reads carry, is refused on input, so it is not in the list. */
export const paymentLineInput = z.strictObject({
  Amount: decimal,
  LinkedTxn: z.array(z.strictObject({ TxnId: text(20), TxnType: text(40), TxnLineId: text(20) }), '2010').nullish(),
});

/** Every property of a Payment that the provider knows. */
export const paymentInput = z.strictObject({
  ...envelopeFields,
  CustomerRef: reference,
  CurrencyRef: currencyReference,
  ExchangeRate: decimal,
  TotalAmt: decimal,
  Line: z.array(paymentLineInput, '2010').nullish(),
  TxnDate: calendarDay,
  PaymentRefNum: text(21),
  PaymentMethodRef: reference,
  DepositToAccountRef: reference,
  PrivateNote: text(4000),
  ProcessPayment: unmodelled,
  CreditCardPayment: unmodelled,
  CheckPayment: unmodelled,
  ProjectRef: unmodelled,
  TxnSource: unmodelled,
  TaxExemptionRef: unmodelled,
  TransactionLocationType: unmodelled,
  ARAccountRef: unmodelled,
  PaymentType: unmodelled,
  UnappliedAmt: computed,
  LinkedTxn: computed,
});

export type PaymentForm = z.output<typeof paymentInput>;
