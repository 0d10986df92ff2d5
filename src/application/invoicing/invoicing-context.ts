import type { QboContext } from '../quickbooks/qbo-context.js';
import type { StripeContext } from '../stripe/stripe-context.js';

/** What use cases need that work with whichever provider an order is invoiced through. */
export type InvoicingContext = QboContext & StripeContext;
