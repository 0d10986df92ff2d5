import type { Work } from '../books/work.js';
import { presentCreditMemo } from '../entities/credit-memos.js';
import { presentCustomer } from '../entities/customers.js';
import { presentItem, presentVendor } from '../entities/items.js';
import { presentInvoice } from '../entities/present-invoice.js';
import { presentPayment } from '../entities/present-payment.js';
import { presentRefundReceipt } from '../entities/refund-receipts.js';

/** Everything in one company's books, for whoever audits the outcome of a run. */
export function dumpBooks(work: Work): object {
  const { books } = work;
  return {
    realmId: work.settings.realmId,
    customers: [...books.customers.values()].map((customer) => presentCustomer(work, customer)),
    vendors: [...books.vendors.values()].map((vendor) => presentVendor(work, vendor)),
    items: [...books.items.values()].map((item) => presentItem(work, item)),
    invoices: [...books.invoices.values()].map((invoice) => presentInvoice(work, invoice, { withLink: true })),
    payments: [...books.payments.values()].map((payment) => presentPayment(work, payment)),
    creditMemos: [...books.creditMemos.values()].map((memo) => presentCreditMemo(work, memo)),
    refundReceipts: [...books.refundReceipts.values()].map((refund) => presentRefundReceipt(work, refund)),
    deleted: books.tombstones.map(({ entity, id }) => ({ entity, id })),
    // What follows is the simulator's own knowledge: the provider tells nobody.
    emails: books.emails.map(({ invoiceId, to, at }) => ({ invoiceId, to, at: new Date(at).toISOString() })),
    created: Object.fromEntries(books.created),
  };
}
