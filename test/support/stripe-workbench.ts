import type { InvoicingContext } from '../../src/application/invoicing/invoicing-context.js';
import type { BillingGateway } from '../../src/application/ports/billing.js';
import { configureStripe } from '../../src/application/stripe/configure-stripe.js';
import { createStripeInvoice } from '../../src/application/stripe/create-stripe-invoice.js';
import { StripeGateway } from '../../src/infrastructure/stripe/gateway.js';
import { PostgresKeyStore } from '../../src/infrastructure/stripe/postgres-key-store.js';
import { startStripeSimulator } from '../../src/simulators/stripe/simulator.js';
import { StripeControl } from './stripe-control.js';
import {
  type BillingParts,
  idOf,
  replacing,
  startWorkbench,
  type Workbench,
  type WorkbenchOptions,
} from './workbench.js';

/** A workbench whose conference is connected to a simulated Stripe, too. */
export interface StripeWorkbench extends Workbench {
  readonly stripe: StripeControl;
  readonly stripeConnectionId: string;
  /** The use cases with some calls to Stripe replaced; the rest go to the simulator. */
  withBilling(replaced: Partial<BillingGateway>): InvoicingContext;
  /** The real adapter, which reaches Stripe at another address. */
  billingAt(apiBaseUrl: string): BillingGateway;
  stripeInvoicedOrder(fields?: Record<string, unknown>): Promise<{ id: string; invoiceId: string; externalId: string }>;
  /** From then on nobody listens at the address of Stripe. */
  stopStripe(): Promise<void>;
}

export const WEBHOOK_SECRET = 'whsec_workbench';

/** The simulated QuickBooks is there as well: a conference may have both. */
export async function startStripeWorkbench(
  options: Omit<WorkbenchOptions, 'createBilling'> = {},
): Promise<StripeWorkbench> {
  const simulator = await startStripeSimulator();
  const stripe = new StripeControl(simulator);
  let parts: BillingParts | undefined;
  const billingAt = (address: string): BillingGateway => {
    if (!parts) throw new Error('the workbench is not started yet');
    const { orm, secrets, clock, waits } = parts;
    const keys = new PostgresKeyStore(orm, secrets, waits);
    // The SDK waits half a second before it repeats a call.
    return new StripeGateway({ keys, clock, waits, apiBaseUrlOf: () => address, maxRepetitions: 0 });
  };
  const createBilling = (given: BillingParts) => {
    parts = given;
    return billingAt(simulator.baseUrl);
  };
  const bench = await startWorkbench({ ...options, createBilling });
  const { conferenceId } = bench;
  const { secretKey } = stripe.account;
  idOf(await configureStripe(bench.process(), { conferenceId, secretKey, webhookSecret: WEBHOOK_SECRET }));
  await stripe.delete('/requests');
  const [connection] = await bench.sql('select id from stripe_connection');
  let stopping: Promise<void> | undefined;
  const stopStripe = async () => {
    stopping ??= simulator.stop();
    await stopping;
  };
  return {
    ...bench,
    stripe,
    stripeConnectionId: connection.id,
    billingAt,
    withBilling: (replaced) => {
      const context = bench.process();
      return { ...context, billing: replacing(context.billing, replaced) };
    },
    stripeInvoicedOrder: async (fields) => {
      const id = await bench.order(fields);
      idOf(await createStripeInvoice(bench.process(), { purchaseOrderId: id }));
      const [invoice] = await bench.sql('select id, external_id from invoice where purchase_order_id = ?', [id]);
      return { id, invoiceId: invoice.id, externalId: invoice.external_id };
    },
    later: async (milliseconds) => {
      await bench.later(milliseconds);
      await stripe.post('/clock', { advanceSeconds: Math.ceil(milliseconds / 1000) });
    },
    stopStripe,
    stop: async () => {
      await stopStripe();
      await bench.stop();
    },
  };
}
