import { z } from 'zod';

/** Amounts are texts, as the simulator wrote them: no float comes near them. */
const amount = z.string();
const link = z.object({ TxnId: z.string(), TxnType: z.string() });

const invoice = z.object({
  Id: z.string(),
  SyncToken: z.string(),
  DocNumber: z.string().optional(),
  TxnDate: z.string(),
  CurrencyRef: z.object({ value: z.string() }),
  CustomerRef: z.object({ value: z.string() }),
  PrivateNote: z.string().optional(),
  TotalAmt: amount,
  Balance: amount,
  EmailStatus: z.string().optional(),
  LinkedTxn: z.array(link).default([]),
});

const payment = z.object({
  Id: z.string(),
  TxnDate: z.string(),
  CurrencyRef: z.object({ value: z.string() }),
  CustomerRef: z.object({ value: z.string() }),
  PaymentRefNum: z.string().optional(),
  PrivateNote: z.string().optional(),
  TotalAmt: amount,
  UnappliedAmt: amount,
  Line: z.array(z.object({ Amount: amount, LinkedTxn: z.array(link) })).default([]),
});

const refundReceipt = z.object({
  Id: z.string(),
  SyncToken: z.string(),
  TotalAmt: amount,
  PrivateNote: z.string().optional(),
});

const customer = z.object({ Id: z.string(), DisplayName: z.string(), Active: z.boolean() });

const books = z.object({
  realmId: z.string(),
  customers: z.array(customer),
  invoices: z.array(invoice),
  payments: z.array(payment),
  refundReceipts: z.array(refundReceipt),
  deleted: z.array(z.object({ entity: z.string(), id: z.string() })),
  /** What the simulator alone knows: how many of each entity were ever made, and every e-mail that really went out. */
  created: z.object({ Invoice: z.string().default('0') }),
  emails: z.array(z.object({ invoiceId: z.string(), to: z.string() })),
});

export type Books = Readonly<z.output<typeof books>>;
export type BookInvoice = Books['invoices'][number];
export type BookPayment = Books['payments'][number];

/** Reads the answer of the simulator's `GET /__control/books`, every number as the text it is written in. */
export function readBooks(text: string): Books {
  return books.parse(JSON.parse(text, numbersAsTexts));
}

function numbersAsTexts(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' ? (context?.source ?? `${value}`) : value;
}

/** QuickBooks marks what was voided like this and sets every amount to zero. */
export function isVoided(document: { readonly PrivateNote?: string | undefined; readonly TotalAmt: string }): boolean {
  return Number(document.TotalAmt) === 0 && (document.PrivateNote ?? '').startsWith('Voided');
}
