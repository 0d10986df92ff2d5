import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Bench, type Body } from './support.js';

let bench: Bench;
/** One object of each type, as it was sent. */
const shown: Record<string, Body> = {};

beforeAll(async () => {
  bench = await Bench.start();
  const invoice = await bench.invoice(10_000);
  const { paymentIntent } = await bench.pay(invoice.id);
  await bench.control('POST', '/refund', { paymentIntentId: paymentIntent.id, amount: 1 });
  await bench.control('POST', '/credit-note', { invoiceId: invoice.id, amount: 2 });
  await bench.control('POST', '/dispute', { paymentIntentId: paymentIntent.id });
  const first = async (path: string): Promise<Body> => (await bench.raw('GET', path)).body.data[0];
  Object.assign(shown, {
    Account: (await bench.raw('GET', '/v1/account')).body,
    Charge: await first('/v1/charges'),
    CreditNote: await first('/v1/credit_notes'),
    Customer: await first('/v1/customers'),
    Dispute: await first('/v1/disputes'),
    EventBase: await first('/v1/events'),
    Invoice: await first('/v1/invoices'),
    InvoiceItem: await first('/v1/invoiceitems'),
    InvoiceLineItem: await first(`/v1/invoices/${invoice.id}/lines`),
    InvoicePayment: await first('/v1/invoice_payments'),
    PaymentIntent: await first('/v1/payment_intents'),
    Refund: await first('/v1/refunds'),
  });
});
afterAll(() => bench.stop());

interface Properties {
  readonly required: readonly string[];
  readonly all: readonly string[];
}

/** What the SDK's types for this version of the API say about an object. */
function propertiesOf(name: string, file: string): Properties {
  const source = readFileSync(`node_modules/stripe/esm/resources/${file}.d.ts`, 'utf8').replace(
    /\/\*[\s\S]*?\*\//g,
    '',
  );
  const body = new RegExp(`^export interface ${name} \\{\\n([\\s\\S]*?)^\\}`, 'm').exec(source)?.[1] ?? '';
  const properties = [...body.matchAll(/^ {4}(\w+)(\??):/gm)].map(([, key = '', mark]) => ({ key, mark }));
  return {
    required: properties.filter(({ mark }) => mark === '').map(({ key }) => key),
    all: properties.map(({ key }) => key),
  };
}

describe('An object has every property that the SDK expects, and no other', () => {
  test.each([
    ['Account', 'Accounts'],
    ['Charge', 'Charges'],
    ['CreditNote', 'CreditNotes'],
    ['Customer', 'Customers'],
    ['Dispute', 'Disputes'],
    ['EventBase', 'Events'],
    ['Invoice', 'Invoices'],
    ['InvoiceItem', 'InvoiceItems'],
    ['InvoiceLineItem', 'InvoiceLineItems'],
    ['InvoicePayment', 'InvoicePayments'],
    ['PaymentIntent', 'PaymentIntents'],
    ['Refund', 'Refunds'],
  ])('%s', (name, file) => {
    const { required, all } = propertiesOf(name, file);
    const keys = Object.keys(shown[name]);
    expect(required.length).toBeGreaterThan(6);
    expect({ name, missing: required.filter((key) => !keys.includes(key)) }).toEqual({ name, missing: [] });
    expect({ name, unknown: keys.filter((key) => !all.includes(key)) }).toEqual({ name, unknown: [] });
  });
});
