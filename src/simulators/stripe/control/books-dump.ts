import type { Work } from '../books/work.js';
import { presentCharge } from '../resources/charges.js';
import { presentCustomer } from '../resources/customers.js';
import { presentDispute } from '../resources/disputes.js';
import { itemsOf } from '../resources/invoice-amounts.js';
import { presentInvoicePayment } from '../resources/invoice-payments.js';
import { presentPaymentIntent } from '../resources/payment-intents.js';
import { presentPaymentRecord } from '../resources/payment-records.js';
import { presentCreditNote } from '../resources/present-credit-note.js';
import { presentInvoice, presentLine } from '../resources/present-invoice.js';
import { presentRefund } from '../resources/refunds.js';

/** Everything in one account's books, oldest first, for whoever audits the outcome of a run. */
export function dumpBooks(work: Work): object {
  const { books } = work;
  return {
    accountId: work.settings.accountId,
    customers: all(books.customers, (customer) => presentCustomer(work, customer)),
    invoices: all(books.invoices, (invoice) => ({
      ...presentInvoice(work, invoice),
      // All of them, unlike the API.
      lines: itemsOf(work, invoice).map((item) => presentLine(work, item)),
    })),
    invoicePayments: all(books.invoicePayments, (payment) => presentInvoicePayment(work, payment)),
    paymentIntents: all(books.paymentIntents, (intent) => presentPaymentIntent(work, intent)),
    paymentRecords: all(books.paymentRecords, (record) => presentPaymentRecord(work, record)),
    charges: all(books.charges, (charge) => presentCharge(work, charge)),
    refunds: all(books.refunds, presentRefund),
    disputes: all(books.disputes, (dispute) => presentDispute(work, dispute)),
    creditNotes: all(books.creditNotes, (note) => presentCreditNote(work, note)),
    deleted: [...books.deleted].map(([id, type]) => ({ id, type })),
    // What follows is the simulator's own knowledge: the provider tells nobody.
    emails: books.emails.map(({ invoice, email, at }) => ({ invoice, email, time: new Date(at).toISOString() })),
    created: Object.fromEntries(books.created),
  };
}

function all<T>(objects: ReadonlyMap<string, T>, present: (object: T) => object): object[] {
  return [...objects.values()].map(present);
}
