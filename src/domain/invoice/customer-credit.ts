import type { CurrencyCode } from '../currency.js';
import { formatAmount, type MinorUnits, subtract, ZERO } from '../money.js';
import { type InvoiceProvider, PROVIDER_NAMES } from './invoice.status.js';

/** What the customer's balance at the provider did to an invoice, and what to do about it. Undefined: nothing. */
export function describeCustomerCredit(invoice: {
  readonly provider: `${InvoiceProvider}`;
  readonly currencyCode: CurrencyCode;
  readonly totalMinor: MinorUnits;
  readonly customerCreditMinor: MinorUnits;
}): string | undefined {
  const { provider, currencyCode, totalMinor, customerCreditMinor: credit } = invoice;
  if (credit === ZERO) return undefined;
  const name = PROVIDER_NAMES[provider];
  const written = (amount: MinorUnits) => `${formatAmount(amount, currencyCode)} ${currencyCode}`;
  const what =
    credit > ZERO
      ? `${written(credit)} of the customer's balance in ${name} was used up for it`
      : `${written(subtract(ZERO, credit))} that the customer owes in ${name} was added to it`;
  const asked = subtract(totalMinor, credit);
  // What is paid from the start cannot be voided.
  const undo =
    asked > ZERO
      ? `Void it in ${name}`
      : `Give that back in ${name} by a credit note over all of it, which counts as a void`;
  return `${what}, so that it asks for ${written(asked)}. ${undo}, settle the customer's balance there, and invoice anew.`;
}
