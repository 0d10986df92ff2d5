import type { ServerResponse } from 'node:http';
import { afterEach } from '@jest/globals';
import { standardWaits, type Waits } from '../../../src/application/waits.js';
import type { StripeCallReport } from '../../../src/infrastructure/stripe/call-observer.js';
import type { StripeClientsOptions } from '../../../src/infrastructure/stripe/client.js';
import { StripeGateway } from '../../../src/infrastructure/stripe/gateway.js';
import { json, type SeenRequest, type StandIn, startStandIn } from '../quickbooks/stand-in.js';

export const SECRET_KEY = 'sk_test_51HighlySecret0Key';
export const NOW = new Date('2026-11-02T10:00:00Z');

export type Answer = (request: SeenRequest, response: ServerResponse) => void | Promise<void>;

export interface StandInGateway {
  readonly gateway: StripeGateway;
  readonly requests: readonly SeenRequest[];
  readonly reports: readonly StripeCallReport[];
}

let standIn: StandIn | undefined;

afterEach(async () => {
  await standIn?.close();
  standIn = undefined;
});

/** A gateway whose connection `con_1` talks to a server that answers as told, once the SDK's repetitions are off. */
export async function gatewayWith(
  answer: Answer,
  options: Partial<Omit<StripeClientsOptions, 'waits'>> & { readonly waits?: Partial<Waits> } = {},
): Promise<StandInGateway> {
  standIn = await startStandIn(answer);
  const { url, requests } = standIn;
  return { ...gatewayAt(url, options), requests };
}

export function gatewayAt(
  url: string,
  { waits, ...options }: Partial<Omit<StripeClientsOptions, 'waits'>> & { readonly waits?: Partial<Waits> } = {},
): Omit<StandInGateway, 'requests'> {
  const reports: StripeCallReport[] = [];
  const gateway = new StripeGateway({
    keys: { secretKeyOf: async (id) => (id === 'con_1' ? SECRET_KEY : undefined), refuse: async () => undefined },
    clock: { now: () => NOW },
    waits: { ...standardWaits, ...waits },
    onCall: (report) => reports.push(report),
    apiBaseUrlOf: () => url,
    maxRepetitions: 0,
    ...options,
  });
  return { gateway, reports };
}

/** Answers one request after the other with these; the last one stays. */
export function inTurn(...answers: Answer[]): Answer {
  let next = 0;
  return (request, response) => {
    const answer = answers[Math.min(next, answers.length - 1)];
    next += 1;
    return answer?.(request, response);
  };
}

export function ok(body: unknown, headers: Record<string, string> = {}): Answer {
  return (_request, response) => json(response, 200, body, { 'request-id': 'req_ok', ...headers });
}

export function refuse(status: number, error: Record<string, unknown>, headers: Record<string, string> = {}): Answer {
  return (_request, response) => json(response, status, { error }, { 'request-id': 'req_no', ...headers });
}

/** Takes the request and hangs up. */
export const hangUp: Answer = (_request, response) => void response.destroy();

export function list(...data: unknown[]): unknown {
  return { object: 'list', data, has_more: false, url: '/' };
}

/** An open invoice over 250.00 USD as Stripe writes it, so far as anybody reads it. */
export function invoiceDocument(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: 'in_1',
    object: 'invoice',
    number: 'ABC-0001',
    status: 'open',
    customer: 'cus_1',
    currency: 'usd',
    total: 25_000,
    amount_due: 25_000,
    amount_remaining: 25_000,
    pre_payment_credit_notes_amount: 0,
    hosted_invoice_url: 'https://invoice.stripe.com/i/acct_1/test_1',
    livemode: false,
    metadata: { operation_id: 'op_1', purchase_order_id: 'po_1' },
    created: 1_793_613_600,
    lines: {
      object: 'list',
      data: [{ id: 'il_1', amount: 25_000, metadata: { line_item_id: 'li_1' }, quantity_decimal: '5' }],
      has_more: false,
    },
    ...changes,
  };
}
