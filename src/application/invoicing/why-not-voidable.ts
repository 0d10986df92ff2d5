import { describeCustomerCredit } from '../../domain/invoice/customer-credit.js';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceStatus, isUnpaid, PROVIDER_NAMES } from '../../domain/invoice/invoice.status.js';
import { formatAmount, subtract, ZERO } from '../../domain/money.js';
import type { Failure } from '../outcome.js';
import { describeInvoice } from './live-invoice.js';

const path = ['purchaseOrderId'];

/** Why a live invoice must not be voided, if there is a reason; `applied` is the code for money or credit that is on it. */
export function whyNotVoidable<Code extends string>(
  invoice: Invoice,
  applied: Code,
): Failure<Code | 'IN_PROGRESS' | 'OUTCOME_UNKNOWN'> | undefined {
  const { status, provider } = invoice;
  if (status === InvoiceStatus.CREATING) {
    const message = 'Its invoice is being created right now; ask again in a few seconds.';
    return { code: 'IN_PROGRESS', message, path };
  }
  if (status === InvoiceStatus.UNKNOWN) {
    const message = `It is not known yet whether ${PROVIDER_NAMES[provider]} made its invoice. This is being settled; ask again later.`;
    return { code: 'OUTCOME_UNKNOWN', message, path };
  }
  return isUnpaid(invoice) ? undefined : { code: applied, message: whatIsOn(invoice), path };
}

function whatIsOn(invoice: Invoice): string {
  const { provider, currencyCode, totalMinor, customerCreditMinor, balanceMinor, processingMinor } = invoice;
  if (processingMinor > ZERO) {
    const amount = `${formatAmount(processingMinor, currencyCode)} ${currencyCode}`;
    return `${amount} is on its way for ${describeInvoice(invoice)}; banks take days. Wait until it arrived or failed.`;
  }
  const appliedMinor = subtract(subtract(totalMinor, customerCreditMinor), balanceMinor);
  const credit = describeCustomerCredit(invoice);
  if (credit && appliedMinor === ZERO) return `Of ${describeInvoice(invoice)}, ${credit}`;
  const applied = `${formatAmount(appliedMinor, currencyCode)} ${currencyCode}`;
  return `${applied} of credit or payments is applied to ${describeInvoice(invoice)}. Unapply that in ${PROVIDER_NAMES[provider]} first.`;
}
