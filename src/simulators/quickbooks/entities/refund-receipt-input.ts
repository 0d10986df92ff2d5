import { z } from 'zod';
import { oneOf, reference, text, unmodelled } from './input.js';
import { salesFormFields } from './invoice-input.js';

/** Every property of a RefundReceipt that the provider knows. */
export const refundReceiptInput = z.strictObject({
  ...salesFormFields,
  EmailStatus: oneOf(['NotSet', 'NeedToSend', 'EmailSent']),
  DepositToAccountRef: reference,
  PaymentMethodRef: reference,
  PaymentRefNum: text(21),
  PaymentType: unmodelled,
  CreditCardPayment: unmodelled,
  CheckPayment: unmodelled,
  LinkedTxn: unmodelled,
  ShipDate: unmodelled,
  ShipMethodRef: unmodelled,
  TrackingNum: unmodelled,
  TxnSource: unmodelled,
});

export type RefundReceiptForm = z.output<typeof refundReceiptInput>;
