import type { Control } from './control.js';
import type { Strike } from './points.js';

/** What clients ask of the API, by the names that the API has for it. */
export interface Calls {
  createConference: { name: string; slug: string; currencyCode: string; timezone: string; idempotencyKey?: string };
  configureQboConnection: {
    conferenceId: string;
    environment: string;
    realmId: string;
    accessToken: string;
    refreshToken: string;
  };
  createPurchaseOrder: {
    conferenceId: string;
    organizationName: string;
    contactEmail: string;
    lineItems: { description: string; quantity: number; unitPrice: string }[];
    idempotencyKey?: string;
  };
  sendPurchaseOrder: { purchaseOrderId: string };
  cancelPurchaseOrder: { purchaseOrderId: string };
  createQboInvoice: { purchaseOrderId: string; idempotencyKey?: string };
  createQboInvoices: { purchaseOrderIds: string[]; idempotencyKey?: string };
  sendQboInvoice: { purchaseOrderId: string; email?: string };
  syncQboInvoiceStatus: { purchaseOrderId: string };
  configureStripe: { conferenceId: string; secretKey: string; webhookSecret: string; daysUntilDue: number };
  createStripeInvoice: { purchaseOrderId: string; idempotencyKey?: string };
  sendStripeInvoice: { purchaseOrderId: string };
  syncStripeInvoiceStatus: { purchaseOrderId: string };
  switchInvoiceProvider: { purchaseOrderId: string; provider: 'QBO' | 'STRIPE' };
  recordPayment: {
    purchaseOrderId: string;
    amount: string;
    method: string;
    reference: string;
    idempotencyKey?: string;
  };
  reversePayment: { paymentId: string; reason: string };
  issueCreditNote: { purchaseOrderId: string; amount: string; reason: string; idempotencyKey?: string };
}
export type CallName = keyof Calls;

/** `lost`: the process died or failed before it answered, so the client does not know what came of it. */
export type Answer =
  | { readonly kind: 'answered'; readonly id: string | null; readonly codes: readonly string[] }
  | { readonly kind: 'lost' };

export type Job =
  | 'processQboEvents'
  | 'resumeOperations'
  | 'workOffBulkInvoicing'
  | 'sweepQboConnection'
  | 'processStripeEvents'
  | 'sweepStripeConnection';

/** The processes under test with their surroundings, in this process or in several. */
export interface System {
  /** Calls one of the two API processes. */
  call<N extends CallName>(api: 0 | 1, name: N, input: Calls[N]): Promise<Answer>;
  /** Has one of the two workers do a job now. `scope`: the company (its realm), or the connection to Stripe, that it is about. */
  work(worker: 0 | 1, job: Job, scope: string): Promise<void>;
  /** Strikes armed from now on; each is gone once its point was reached. */
  arm(strikes: readonly Strike[]): void;
  /** Names of the points that were reached since the last call. */
  takeHits(): string[];
  /** What use cases threw since the last call, other than that the database was cut off. */
  takeErrors(): string[];
  /** Sets how far the clock of each process is off: the two APIs, then the two workers. */
  skew(milliseconds: readonly [number, number, number, number]): Promise<void>;
  /** Lets time pass, wherever this can be done: everything that waits for a time then is due. */
  advance(milliseconds: number): Promise<void>;
  /** How long to wait before each look whether everything settled; after the last one what is open is stuck. */
  readonly settlingMs: readonly number[];
  settle(milliseconds: number): Promise<void>;
  /** Workers look for work themselves, at the latest after this time; undefined where they do only what they are told. */
  readonly ownPaceMs: number | undefined;
  /** Cuts every connection to the database. */
  cutConnections(): Promise<void>;
  /** The control API of QuickBooks' simulator. */
  readonly quickbooks: Control;
  readonly stripe: Control;
  /** Where Stripe's simulator sends webhooks; the conference's slug is to be added. */
  readonly stripeWebhooksUrl: string;
  sql(text: string, parameters?: readonly unknown[]): Promise<Record<string, unknown>[]>;
}
