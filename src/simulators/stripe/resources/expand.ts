import type { JsonObject } from '../books/model.js';
import type { Work } from '../books/work.js';
import { InvalidParameters } from '../errors.js';
import { presentCharge } from './charges.js';
import { presentCustomer } from './customers.js';
import type { Endpoint } from './endpoint.js';
import { paymentsOf } from './invoice-amounts.js';
import { presentInvoicePayment } from './invoice-payments.js';
import type { ObjectType } from './object-types.js';
import { newestFirst } from './pages.js';
import { presentPaymentIntent } from './payment-intents.js';
import { presentPaymentRecord } from './payment-records.js';
import { presentInvoice } from './present-invoice.js';
import { presentRefund } from './refunds.js';

const MAX_DEPTH = 4;

/** What a property of an object can be expanded to. */
type Node =
  | { readonly to: ObjectType }
  /** `includes`: left out unless it is asked for. */
  | { readonly listOf: ObjectType; readonly includes?: (work: Work, owner: JsonObject) => JsonObject }
  | { readonly inside: Readonly<Record<string, Node>> };

const customer: Node = { to: 'customer' };
const invoice: Node = { to: 'invoice' };
const charge: Node = { to: 'charge' };
const intent: Node = { to: 'payment_intent' };
const refund: Node = { to: 'refund' };

const properties: Partial<Record<ObjectType, Readonly<Record<string, Node>>>> = {
  charge: { customer, payment_intent: intent, refunds: { listOf: 'refund', includes: listRefunds } },
  credit_note: { customer, invoice, lines: { listOf: 'credit_note_line_item' }, refunds: { inside: { refund } } },
  dispute: { charge, payment_intent: intent },
  invoice: {
    customer,
    lines: { listOf: 'line_item' },
    payments: { listOf: 'invoice_payment', includes: listPayments },
  },
  invoiceitem: { customer, invoice },
  invoice_payment: {
    invoice,
    payment: { inside: { payment_intent: intent, payment_record: { to: 'payment_record' } } },
  },
  payment_intent: { customer, latest_charge: charge },
  refund: { charge, payment_intent: intent },
};

const find: Partial<Record<ObjectType, (work: Work, id: string) => JsonObject | undefined>> = {
  charge: (work, id) => map(work.books.charges.get(id), (found) => presentCharge(work, found)),
  customer: (work, id) => map(work.books.customers.get(id), (found) => presentCustomer(work, found)),
  invoice: (work, id) => map(work.books.invoices.get(id), (found) => presentInvoice(work, found)),
  refund: (work, id) => map(work.books.refunds.get(id), presentRefund),
  payment_record: (work, id) => map(work.books.paymentRecords.get(id), (found) => presentPaymentRecord(work, found)),
  payment_intent: (work, id) => map(work.books.paymentIntents.get(id), (found) => presentPaymentIntent(work, found)),
};

function map<T>(found: T | undefined, present: (found: T) => JsonObject): JsonObject | undefined {
  return found === undefined ? undefined : present(found);
}

function listPayments(work: Work, { id }: JsonObject): JsonObject {
  const paid = work.books.invoices.get(`${id}`);
  const data = paid === undefined ? [] : paymentsOf(work, paid).map((each) => presentInvoicePayment(work, each));
  return { object: 'list', data: data.reverse(), has_more: false, url: `/v1/invoice_payments?invoice=${id}` };
}

function listRefunds(work: Work, { id }: JsonObject): JsonObject {
  const data = newestFirst(work.books.refunds).filter(({ charge }) => charge === id);
  return { object: 'list', data: data.map(presentRefund), has_more: false, url: `/v1/charges/${id}/refunds` };
}

/** Refuses what cannot be expanded before anything is done. */
export function checkExpansions({ returns, returnsList }: Endpoint, paths: readonly string[]): void {
  const root: Node = returnsList ? { listOf: returns } : { to: returns };
  for (const path of paths) {
    const steps = path.split('.');
    if (steps.length > MAX_DEPTH) {
      throw notExpandable(`You cannot expand more than ${MAX_DEPTH} levels of a property (${path}).`);
    }
    let node: Node | undefined = root;
    for (const step of steps) {
      node = childOf(node, step);
      if (node === undefined) throw notExpandable(`This property cannot be expanded (${path}).`);
    }
  }
}

function notExpandable(message: string): InvalidParameters {
  return new InvalidParameters(message, { param: 'expand' });
}

function childOf(node: Node, step: string): Node | undefined {
  if ('inside' in node) return node.inside[step];
  if ('listOf' in node) return step === 'data' ? { to: node.listOf } : undefined;
  return properties[node.to]?.[step];
}

/** Puts whole objects in the places of their ids. The answer is the caller's own copy. */
export function expandAnswer(work: Work, endpoint: Endpoint, answer: JsonObject, paths: readonly string[]): JsonObject {
  const root: Node = endpoint.returnsList ? { listOf: endpoint.returns } : { to: endpoint.returns };
  for (const path of paths) expandPath(work, root, answer, path.split('.'));
  return answer;
}

function expandPath(work: Work, node: Node, owner: JsonObject, [step, ...rest]: readonly string[]): void {
  const child = step === undefined ? undefined : childOf(node, step);
  if (step === undefined || child === undefined) return;
  if ('listOf' in child && child.includes !== undefined) owner[step] ??= child.includes(work, owner);
  const value = owner[step];
  if (typeof value === 'string' && 'to' in child) owner[step] = find[child.to]?.(work, value) ?? value;
  for (const each of [owner[step]].flat()) {
    if (typeof each === 'object' && each !== null) expandPath(work, child, each as JsonObject, rest);
  }
}
