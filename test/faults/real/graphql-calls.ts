import { z } from 'zod';
import type { Answer, CallName, Calls } from '../system.js';

/** What of the payload is the id that a use case would return. */
const RESULTS: Readonly<Record<CallName, string>> = {
  createConference: 'conference',
  configureQboConnection: 'conference',
  createPurchaseOrder: 'purchaseOrder',
  sendPurchaseOrder: 'purchaseOrder',
  cancelPurchaseOrder: 'purchaseOrder',
  createQboInvoice: 'purchaseOrder',
  createQboInvoices: 'bulkInvoicing',
  sendQboInvoice: 'purchaseOrder',
  syncQboInvoiceStatus: 'purchaseOrder',
  configureStripe: 'conference',
  createStripeInvoice: 'purchaseOrder',
  sendStripeInvoice: 'purchaseOrder',
  syncStripeInvoiceStatus: 'purchaseOrder',
  switchInvoiceProvider: 'purchaseOrder',
  recordPayment: 'payment',
  reversePayment: 'payment',
  issueCreditNote: 'creditNote',
};

const payload = z.object({
  data: z.object({
    result: z.object({
      thing: z.object({ id: z.string() }).nullable(),
      userErrors: z.array(z.object({ code: z.string() })),
    }),
  }),
});

export interface Api {
  readonly url: string;
  readonly apiKey: string;
}

/** Calls a mutation as any client does. A connection that breaks, or an answer that says nothing, is a lost answer. */
export async function callApi<N extends CallName>({ url, apiKey }: Api, name: N, input: Calls[N]): Promise<Answer> {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) {
    result: ${name}(input: $input) { thing: ${RESULTS[name]} { id } userErrors { code } }
  }`;
  try {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${apiKey}`,
        'x-faults-use-case': name,
      },
      body: JSON.stringify({ query, variables: { input } }),
      signal: AbortSignal.timeout(CLIENT_PATIENCE_MS),
    });
    const text = await response.text();
    const read = payload.safeParse(JSON.parse(text));
    if (!read.success) {
      if (process.env.FAULTS_VERBOSE) console.error(name, response.status, text.slice(0, 1000));
      return { kind: 'lost' };
    }
    const { thing, userErrors } = read.data.data.result;
    return { kind: 'answered', id: thing?.id ?? null, codes: userErrors.map(({ code }) => code) };
  } catch {
    return { kind: 'lost' };
  }
}

const CLIENT_PATIENCE_MS = 60_000;
