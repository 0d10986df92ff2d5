import { z } from 'zod';
import { createConference } from '../application/conferences/create-conference.js';
import type { InvoicingContext } from '../application/invoicing/invoicing-context.js';
import type { Outcome } from '../application/outcome.js';
import { createPurchaseOrder } from '../application/purchase-orders/create-purchase-order.js';
import { configureQboConnection } from '../application/quickbooks/configure-qbo-connection.js';
import type { QboContext } from '../application/quickbooks/qbo-context.js';
import { configureStripe } from '../application/stripe/configure-stripe.js';
import { Conference } from '../domain/conference/conference.entity.js';
import { StripeConnection } from '../domain/stripe/stripe-connection.entity.js';
import type { QuickBooksSimulator } from '../simulators/quickbooks/simulator.js';
import { callControl, type LocalSimulators, SIMULATOR_APP, SIMULATOR_KEY } from './local-simulators.js';

const tokensSchema = z.object({ accessToken: z.string(), refreshToken: z.string() });

const SLUG = 'demo';

/**
 * Fills an empty database with a conference that is connected to the simulators and a first purchase order, so that
 * there is something to invoice at once. When there is any conference, it only mends what a simulator without its books
 * has broken, and connects the demo conference of an earlier version to the simulator that came since.
 */
export async function seedDemoConference(
  createContext: () => InvoicingContext,
  { quickbooks, stripe }: LocalSimulators,
  webhookSecret: string,
): Promise<void> {
  if ((await createContext().em.count(Conference)) === 0) await seed(createContext, quickbooks);
  else if (quickbooks) await reconnectConferences(createContext, quickbooks);
  if (stripe) await connectToStripe(createContext, webhookSecret);
}

async function seed(createContext: () => InvoicingContext, simulator: QuickBooksSimulator | undefined): Promise<void> {
  const conference = await createConference(createContext(), {
    name: 'Demo Conference',
    slug: SLUG,
    currencyCode: 'USD',
    timezone: 'America/New_York',
  });
  const conferenceId = idOf(conference);
  const realmId = simulator?.realmIds[0];
  if (simulator && realmId !== undefined) await connect(createContext(), simulator, conferenceId, realmId);
  await createPurchaseOrder(createContext(), {
    conferenceId,
    organizationName: 'Acme Ltd',
    contactEmail: 'accounts@acme.example',
    contactName: 'Ada Payable',
    billingAddress: '1 Main Street\nSpringfield',
    buyerReference: '4500012345',
    lineItems: [
      { description: 'Conference ticket', quantity: 2, unitPrice: '499.00' },
      { description: 'Silver sponsorship', quantity: 1, unitPrice: '477.00' },
    ],
  });
}

async function connectToStripe(createContext: () => InvoicingContext, webhookSecret: string): Promise<void> {
  const context = createContext();
  const demo = await context.em.findOne(Conference, { slug: SLUG });
  if (!demo || (await context.em.count(StripeConnection, { conference: demo })) > 0) return;
  const input = { conferenceId: demo.id, secretKey: SIMULATOR_KEY, webhookSecret };
  idOf(await configureStripe(createContext(), input));
}

/** Its books are a file: deleted, or lost by a kill before they were saved, the simulator does not know our tokens. */
async function reconnectConferences(
  createContext: () => InvoicingContext,
  simulator: QuickBooksSimulator,
): Promise<void> {
  const conferences = await createContext().em.find(
    Conference,
    { qboConnection: { simulated: true, realmId: { $in: [...simulator.realmIds] } } },
    { populate: ['qboConnection'] },
  );
  for (const { id, qboConnection } of conferences) {
    const connection = qboConnection?.unwrap();
    if (connection && !(await isAccepted(createContext(), connection.id))) {
      await connect(createContext(), simulator, id, connection.realmId);
    }
  }
}

async function isAccepted({ accounting }: QboContext, connectionId: string): Promise<boolean> {
  try {
    const read = await accounting.readCompanySettings(connectionId);
    return read.ok || read.failure.kind !== 'reconnect_required';
  } catch {
    // Sealed with a key that is gone: new tokens would not help, and whoever uses the connection is told.
    return true;
  }
}

async function connect(
  context: QboContext,
  simulator: QuickBooksSimulator,
  conferenceId: string,
  realmId: string,
): Promise<void> {
  const tokens = tokensSchema.parse(await callControl(simulator, 'POST', '/tokens', { realmId }));
  idOf(
    await configureQboConnection(context, {
      conferenceId,
      environment: 'SANDBOX',
      realmId,
      accessToken: tokens.accessToken,
      refreshToken: tokens.refreshToken,
      ...SIMULATOR_APP,
    }),
  );
}

function idOf({ id, failures }: Outcome<{ readonly message: string }>): string {
  if (id === null) throw new Error(`the demo conference: ${failures.map((failure) => failure.message).join(' ')}`);
  return id;
}
