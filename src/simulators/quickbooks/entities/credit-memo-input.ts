import { z } from 'zod';
import { computed, oneOf, unmodelled } from './input.js';
import { salesFormFields } from './invoice-input.js';

/** Every property of a CreditMemo that the provider knows. */
export const creditMemoInput = z.strictObject({
  ...salesFormFields,
  EmailStatus: oneOf(['NotSet', 'NeedToSend', 'EmailSent']),
  PaymentMethodRef: unmodelled,
  InvoiceRef: unmodelled,
  LinkedTxn: unmodelled,
  RemainingCredit: computed,
});

export type CreditMemoForm = z.output<typeof creditMemoInput>;
