import type { EntityManager } from '@mikro-orm/postgresql';
import type { Actor } from '../application/context.js';
import type { InvoicingContext } from '../application/invoicing/invoicing-context.js';
import type { SecretBox } from '../application/ports/secrets.js';
import { isSimulatorKey } from '../development/local-simulators.js';
import type { QboCallReport } from '../infrastructure/quickbooks/call-observer.js';
import { endpointResolver, type LocalCompanies } from '../infrastructure/quickbooks/endpoint-resolver.js';
import { QuickBooksGateway } from '../infrastructure/quickbooks/gateway.js';
import { PostgresTokenStore } from '../infrastructure/quickbooks/postgres-token-store.js';
import { PostgresTrafficStore } from '../infrastructure/quickbooks/postgres-traffic-store.js';
import { JweSecretBox } from '../infrastructure/secret-box.js';
import type { StripeCallReport } from '../infrastructure/stripe/call-observer.js';
import { StripeGateway } from '../infrastructure/stripe/gateway.js';
import { PostgresKeyStore } from '../infrastructure/stripe/postgres-key-store.js';
import type { QuickBooksSimulator } from '../simulators/quickbooks/simulator.js';
import type { Foundation } from './foundation.js';

type DefaultApp = InvoicingContext['defaultApp'];

/** Both ways to invoice, and what opens the secrets that they need. */
export interface Providers {
  readonly secrets: SecretBox;
  readonly defaultApp: DefaultApp;
  readonly accounting: QuickBooksGateway;
  readonly billing: StripeGateway;
}

/** The adapters of QuickBooks and Stripe, each speaking to the provider itself, to its simulator, or to what the environment names. */
export function createProviders(foundation: Foundation): Providers {
  const { encryptionKeys, quickbooks } = foundation.config;
  const { secrets: development } = foundation;
  const keys = encryptionKeys.length === 0 && development ? [development.encryptionKey] : encryptionKeys;
  const secrets = new JweSecretBox(keys);
  const { clientId, clientSecret } = quickbooks;
  const defaultApp = clientId !== undefined && clientSecret !== undefined ? { clientId, clientSecret } : undefined;
  const accounting = createAccounting(foundation, secrets, defaultApp);
  return { secrets, defaultApp, accounting, billing: createBilling(foundation, secrets) };
}

function createAccounting(foundation: Foundation, secrets: SecretBox, defaultApp: DefaultApp): QuickBooksGateway {
  const { orm, clock, logger, metrics, simulators } = foundation;
  const { quickbooks, waits } = foundation.config;
  return new QuickBooksGateway({
    store: new PostgresTokenStore(orm, waits),
    traffic: new PostgresTrafficStore(orm, waits),
    secrets,
    clock,
    endpoints: endpointResolver(quickbooks, simulators.quickbooks && companiesOf(simulators.quickbooks)),
    defaultApp,
    waits,
    onCall: qboCallObserver(foundation),
    onTrouble: (error) => logger.warn({ err: error }, 'the traffic with QuickBooks could not be written down'),
    onBreaker: ({ connectionId, isOpen }) => {
      metrics.quickbooksBreakers.set({ connection: connectionId }, isOpen ? 1 : 0);
      logger.warn({ connection: connectionId, isOpen }, 'the breaker of a QuickBooks company changed');
    },
  });
}

function companiesOf({ realmIds, baseUrl, tokenUrl, authorizeUrl, revokeUrl }: QuickBooksSimulator): LocalCompanies {
  return { realmIds, endpoints: { apiBaseUrl: baseUrl, tokenUrl, authorizeUrl, revokeUrl } };
}

function createBilling(foundation: Foundation, secrets: SecretBox): StripeGateway {
  const { orm, clock, simulators } = foundation;
  const { stripe, waits } = foundation.config;
  const local = simulators.stripe;
  return new StripeGateway({
    keys: new PostgresKeyStore(orm, secrets, waits),
    clock,
    waits,
    onCall: stripeCallObserver(foundation),
    // The environment counts for every key; the local simulator for its own keys; Stripe for the rest.
    apiBaseUrlOf: (key) => stripe.apiBaseUrl ?? (local && isSimulatorKey(key) ? local.baseUrl : undefined),
  });
}

function qboCallObserver({ logger, metrics }: Foundation) {
  return ({ operation, outcome, durationMs, statusCode, requestId }: QboCallReport): void => {
    metrics.quickbooksCalls.observe({ operation, outcome }, durationMs / 1000);
    const level = outcome === 'ok' ? 'info' : 'warn';
    const details = { operation, outcome, statusCode, intuitTid: requestId, durationMs: Math.round(durationMs) };
    logger[level](details, 'QuickBooks called');
  };
}

function stripeCallObserver({ logger, metrics }: Foundation) {
  return ({ operation, outcome, durationMs, statusCode, requestId }: StripeCallReport): void => {
    metrics.stripeCalls.observe({ operation, outcome }, durationMs / 1000);
    const level = outcome === 'ok' ? 'info' : 'warn';
    // Lines of one request of ours bear its `requestId` already.
    const details = { operation, outcome, statusCode, stripeRequestId: requestId, durationMs: Math.round(durationMs) };
    logger[level](details, 'Stripe called');
  };
}

export type ContextFactory = (em: EntityManager, actor: Actor) => InvoicingContext;

/** Makes what the use cases get, each with an entity manager and an actor of its own. */
export function contextFactory(
  { config, clock, ids, jobs, simulators }: Foundation,
  providers: Providers,
): ContextFactory {
  const { production, quickbooks, stripe, waits } = config;
  const shared = {
    clock,
    ids,
    waits,
    jobs,
    ...providers,
    allowsSimulators: !production && (simulators.quickbooks !== undefined || quickbooks.apiBaseUrl !== undefined),
    allowsStripeSimulator: !production && (simulators.stripe !== undefined || stripe.apiBaseUrl !== undefined),
  };
  return (em, actor) => ({ ...shared, em, actor });
}
