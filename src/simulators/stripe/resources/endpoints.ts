import { accountEndpoints } from './account.js';
import { chargeEndpoints } from './charges.js';
import { creditNoteEndpoints } from './credit-notes.js';
import { customerEndpoints } from './customers.js';
import { disputeEndpoints } from './disputes.js';
import type { Endpoint } from './endpoint.js';
import { eventEndpoints } from './events.js';
import { invoiceItemEndpoints } from './invoice-items.js';
import { invoiceLifecycleEndpoints } from './invoice-lifecycle.js';
import { invoicePaymentEndpoints } from './invoice-payments.js';
import { invoiceEndpoints } from './invoices.js';
import { paymentIntentEndpoints } from './payment-intents.js';
import { refundEndpoints } from './refunds.js';

const endpoints: readonly Endpoint[] = [
  ...accountEndpoints,
  ...customerEndpoints,
  ...invoiceEndpoints,
  ...invoiceLifecycleEndpoints,
  ...invoiceItemEndpoints,
  ...invoicePaymentEndpoints,
  ...paymentIntentEndpoints,
  ...chargeEndpoints,
  ...refundEndpoints,
  ...disputeEndpoints,
  ...creditNoteEndpoints,
  ...eventEndpoints,
];

export interface Found {
  readonly endpoint: Endpoint;
  /** What stands for `:id` in the path; empty without one. */
  readonly id: string;
}

const patterns = endpoints.map((endpoint) => ({
  endpoint,
  pattern: new RegExp(`^${endpoint.path.replace(':id', '([^/]+)')}$`),
}));

export function findEndpoint(method: string, path: string): Found | undefined {
  for (const { endpoint, pattern } of patterns) {
    const match = endpoint.method === method ? pattern.exec(path) : null;
    if (match !== null) return { endpoint, id: match[1] ?? '' };
  }
  return undefined;
}
