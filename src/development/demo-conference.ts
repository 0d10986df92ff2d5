import { z } from 'zod';
import { createConference } from '../application/conferences/create-conference.js';
import type { Outcome } from '../application/outcome.js';
import { createPurchaseOrder } from '../application/purchase-orders/create-purchase-order.js';
import { configureQboConnection } from '../application/quickbooks/configure-qbo-connection.js';
import type { QboContext } from '../application/quickbooks/qbo-context.js';
import { Conference } from '../domain/conference/conference.entity.js';
import type { QuickBooksSimulator } from '../simulators/quickbooks/simulator.js';
import { postControl, SIMULATOR_APP } from './local-simulators.js';

const tokensSchema = z.object({ accessToken: z.string(), refreshToken: z.string() });

/**
 * Fills an empty database with a conference that is connected to the simulator and a first purchase order, so that
 * there is something to invoice at once. Does nothing when there is any conference.
 */
export async function seedDemoConference(
  createContext: () => QboContext,
  simulator: QuickBooksSimulator,
): Promise<boolean> {
  if ((await createContext().em.count(Conference)) > 0) return false;
  const conference = await createConference(createContext(), {
    name: 'Demo Conference',
    slug: 'demo',
    currencyCode: 'USD',
    timezone: 'America/New_York',
  });
  const conferenceId = idOf(conference);
  await connect(createContext(), simulator, conferenceId);
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
  return true;
}

async function connect(context: QboContext, simulator: QuickBooksSimulator, conferenceId: string): Promise<void> {
  const [realmId] = simulator.realmIds;
  if (realmId === undefined) throw new Error('the simulator keeps no company');
  const tokens = tokensSchema.parse(await postControl(simulator, '/tokens', { realmId }));
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
