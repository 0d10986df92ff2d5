import type { EntityName } from '../books/model.js';
import type { Work } from '../books/work.js';
import {
  createCreditMemo,
  deleteCreditMemo,
  findCreditMemo,
  presentCreditMemo,
  updateCreditMemo,
} from '../entities/credit-memos.js';
import { createCustomer, presentCustomer, updateCustomer } from '../entities/customers.js';
import {
  createInvoice,
  deleteInvoice,
  findInvoice,
  sendInvoice,
  updateInvoice,
  voidInvoice,
} from '../entities/invoices.js';
import { createItem, presentAccount, presentItem, presentVendor, updateItem } from '../entities/items.js';
import { createPayment, deletePayment, findShownPayment, updatePayment, voidPayment } from '../entities/payments.js';
import { presentInvoice } from '../entities/present-invoice.js';
import { presentPayment } from '../entities/present-payment.js';
import {
  createRefundReceipt,
  deleteRefundReceipt,
  findRefundReceipt,
  presentRefundReceipt,
  updateRefundReceipt,
} from '../entities/refund-receipts.js';
import { checkId, deletedAnswer } from '../entities/shared.js';
import { objectNotFound, unsupported } from '../faults.js';
import { isObject, type JsonObject } from '../json.js';

export type WriteOperation = 'create' | 'update' | 'delete' | 'void';

export interface WriteOptions {
  readonly operation: WriteOperation;
  /** Values of `include`, such as `allowduplicatedocnum`. */
  readonly include: ReadonlySet<string>;
}

/** What one entity's URL can do. */
export interface Endpoint {
  readonly entity: EntityName;
  readonly read: (work: Work, id: string) => JsonObject;
  readonly write?: (work: Work, body: unknown, options: WriteOptions) => JsonObject;
  readonly send?: (work: Work, id: string, sendTo: string | undefined) => JsonObject;
}

const customer: Endpoint = {
  entity: 'Customer',
  read: (work, id) => presentCustomer(work, find(work.books.customers, id)),
  write: (work, body, { operation }) => {
    if (operation === 'create') return presentCustomer(work, createCustomer(work, body));
    if (operation === 'update') return presentCustomer(work, updateCustomer(work, body));
    throw unsupported(`${operation} of a Customer`);
  },
};

const item: Endpoint = {
  entity: 'Item',
  read: (work, id) => presentItem(work, find(work.books.items, id)),
  write: (work, body, { operation }) => {
    if (operation === 'create') return presentItem(work, createItem(work, body));
    if (operation === 'update') return presentItem(work, updateItem(work, body));
    throw unsupported(`${operation} of an Item`);
  },
};

const invoice: Endpoint = {
  entity: 'Invoice',
  read: (work, id) => presentInvoice(work, findInvoice(work, id), { withLink: true }),
  write: (work, body, { operation, include }) => {
    const rules = { allowDuplicateDocNumber: include.has('allowduplicatedocnum') };
    switch (operation) {
      case 'create':
        return presentInvoice(work, createInvoice(work, body, rules), { withLink: false });
      case 'update':
        return presentInvoice(work, updateInvoice(work, body, rules), { withLink: true });
      case 'void':
        return presentInvoice(work, voidInvoice(work, body), { withLink: false });
      case 'delete':
        return deletedAnswer(deleteInvoice(work, body));
    }
  },
  send: (work, id, sendTo) => presentInvoice(work, sendInvoice(work, id, sendTo), { withLink: false }),
};

const payment: Endpoint = {
  entity: 'Payment',
  read: (work, id) => presentPayment(work, findShownPayment(work, id)),
  write: (work, body, { operation, include }) => {
    // Both `operation=void` and `operation=update&include=void` are in use.
    const asked = operation === 'update' && include.has('void') ? 'void' : operation;
    switch (asked) {
      case 'create':
        return presentPayment(work, createPayment(work, body));
      case 'update':
        return presentPayment(work, updatePayment(work, body));
      case 'void':
        return presentPayment(work, voidPayment(work, body));
      case 'delete':
        return deletedAnswer(deletePayment(work, body));
    }
  },
};

const creditmemo: Endpoint = {
  entity: 'CreditMemo',
  read: (work, id) => presentCreditMemo(work, findCreditMemo(work, id)),
  write: (work, body, { operation, include }) => {
    const rules = { allowDuplicateDocNumber: include.has('allowduplicatedocnum') };
    if (operation === 'create') return presentCreditMemo(work, createCreditMemo(work, body, rules));
    if (operation === 'delete') return deletedAnswer(deleteCreditMemo(work, body));
    if (operation === 'update') return updateCreditMemo();
    throw unsupported(`${operation} of a CreditMemo`);
  },
};

const refundreceipt: Endpoint = {
  entity: 'RefundReceipt',
  read: (work, id) => presentRefundReceipt(work, findRefundReceipt(work, id)),
  write: (work, body, { operation, include }) => {
    const rules = { allowDuplicateDocNumber: include.has('allowduplicatedocnum') };
    if (operation === 'create') return presentRefundReceipt(work, createRefundReceipt(work, body, rules));
    if (operation === 'update') return presentRefundReceipt(work, updateRefundReceipt(work, body, rules));
    if (operation === 'delete') return deletedAnswer(deleteRefundReceipt(work, body));
    throw unsupported(`${operation} of a RefundReceipt`);
  },
};

const vendor: Endpoint = {
  entity: 'Vendor',
  read: (work, id) => presentVendor(work, find(work.books.vendors, id)),
};

const account: Endpoint = {
  entity: 'Account',
  read: (work, id) => presentAccount(work, find(work.books.accounts, id)),
};

/** By path segment: lower case, without separators. */
export const endpoints: ReadonlyMap<string, Endpoint> = new Map(
  Object.entries({ customer, item, invoice, payment, creditmemo, refundreceipt, vendor, account }),
);

function find<T>(records: ReadonlyMap<string, T>, id: string): T {
  const record = records.get(checkId(id));
  if (record === undefined) throw objectNotFound();
  return record;
}

/** Runs one write and wraps its answer. Without an `operation`, an Id in the body makes it an update. */
export function write(
  work: Work,
  endpoint: Endpoint,
  body: unknown,
  asked: { readonly operation: string | undefined; readonly include: ReadonlySet<string> },
): JsonObject {
  if (endpoint.write === undefined) throw unsupported(`writing a ${endpoint.entity}`);
  const operation = asked.operation ?? (isObject(body) && body.Id != null ? 'update' : 'create');
  if (!isWriteOperation(operation)) throw unsupported(`operation=${operation}`);
  return { [endpoint.entity]: endpoint.write(work, body, { operation, include: asked.include }) };
}

function isWriteOperation(text: string): text is WriteOperation {
  return ['create', 'update', 'delete', 'void'].includes(text);
}
