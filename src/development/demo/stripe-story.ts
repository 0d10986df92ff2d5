import { z } from 'zod';
import type { StripeSimulator } from '../../simulators/stripe/simulator.js';
import { callControl } from '../local-simulators.js';
import { countCalls, type DemoServer, expect, type Order, say } from './demo-server.js';

/** The main job through Stripe: a part by card, the rest by a bank debit that takes its time. */
export async function playStripe(server: DemoServer, simulator: StripeSimulator): Promise<Record<string, unknown>> {
  const created = await server.createOrder();
  const purchaseOrderId = created.id;
  say(`1. Purchase order ${created.reference} over ${created.total.amount} USD: ${created.status}`);
  expect(created.status, 'DRAFT', 'the new order');
  const callsBefore = await countCalls(simulator);

  const invoiced = await server.mutate('createStripeInvoice', { purchaseOrderId });
  say(`2. Stripe invoice ${invoiced.stripeInvoice?.number} (${invoiced.stripeInvoice?.id}): ${invoiced.status}`);
  expect(invoiced.status, 'SENT', 'the invoiced order');

  const sent = await server.mutate('sendStripeInvoice', { purchaseOrderId });
  say(`3. Stripe e-mailed it: ${sent.stripeInvoice?.emailStatus}`);
  expect(sent.stripeInvoice?.emailStatus, 'SENT', 'the e-mail');

  await pay(simulator, sent, { amount: FIVE_HUNDRED, method: 'card' });
  const partly = await server.waitForStatus(sent, 'PARTIALLY_PAID');
  say(`4. The buyer pays 500.00 by card; a signed webhook arrives: ${partly.status}, ${partly.balanceDue.amount} due`);
  expect(partly.totalPaid.amount, '500.00', 'the paid amount');

  const paymentIntentId = await pay(simulator, sent, { method: 'ach' });
  const waiting = await server.waitUntil(sent, isProcessing, 'show money on its way');
  say(`5. The buyer has the rest debited: ${waiting.stripeInvoice?.processing.amount} on its way, ${waiting.status}`);
  expect(waiting.stripeInvoice?.processing.amount, '975.00', 'the amount on its way');
  expect(waiting.totalPaid.amount, '500.00', 'the paid amount');

  await callControl(simulator, 'POST', '/settle-payment', { paymentIntentId, outcome: 'succeeded' });
  const paid = await server.waitForStatus(sent, 'PAID');
  say(`6. Days later the bank pays; another webhook: ${paid.status}, ${paid.totalPaid.amount} paid`);
  expect(paid.totalPaid.amount, created.total.amount, 'the paid amount');
  expect(paid.balanceDue.amount, '0.00', 'the balance');

  return {
    reference: paid.reference,
    stripeInvoiceId: paid.stripeInvoice?.id,
    status: paid.status,
    totalPaid: paid.totalPaid.amount,
    stripeCalls: (await countCalls(simulator)) - callsBefore,
  };
}

/** In cents, as Stripe counts dollars. */
const FIVE_HUNDRED = 50_000;

function isProcessing({ attention }: Order): boolean {
  return attention.some(({ code }) => code === 'PAYMENT_PROCESSING');
}

const payment = z.object({ paymentIntent: z.object({ id: z.string() }) });

/** The buyer pays on the hosted page; all that is open, unless an amount says otherwise. */
async function pay(
  simulator: StripeSimulator,
  { stripeInvoice }: Order,
  paying: { readonly amount?: number; readonly method: 'card' | 'ach' },
): Promise<string> {
  const answer = await callControl(simulator, 'POST', '/pay', { invoiceId: stripeInvoice?.id, ...paying });
  return payment.parse(answer).paymentIntent.id;
}
