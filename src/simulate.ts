import { parseArgs } from 'node:util';
import { z } from 'zod';
import { stopSignal } from './infrastructure/stop-signal.js';
import { type QuickBooksSimulator, startQuickBooksSimulator } from './simulators/quickbooks/simulator.js';
import { type StripeSimulator, startStripeSimulator } from './simulators/stripe/simulator.js';

// `npm run simulate`: QuickBooks Online and Stripe without accounts, for trying things out by hand.
//   npm run simulate -- --port 4010 --state-file books.json --webhook-url http://127.0.0.1:4000/webhooks/qbo \
//     --stripe-port 4011 --stripe-state-file stripe.json --stripe-webhook-url http://127.0.0.1:4000/webhooks/stripe/demo

const CLIENT_ID = 'simulator-client-id';
const CLIENT_SECRET = 'simulator-client-secret';
const port = z.coerce.number().int().min(0).max(65_535);
const tokens = z.object({ realmId: z.string(), accessToken: z.string(), refreshToken: z.string() });
type Tokens = z.output<typeof tokens>;

type Flags = ReturnType<typeof readFlags>;

async function main(): Promise<void> {
  const flags = readFlags();
  const stop = stopSignal();
  const quickbooks = await startQuickBooks(flags);
  // A port that is taken must not leave the other one listening.
  const stripe = await startStripe(flags).catch(async (error: unknown) => {
    await quickbooks.stop();
    throw error;
  });
  const companies = await Promise.all(quickbooks.realmIds.map((realmId) => connect(quickbooks, realmId)));
  print({ quickbooks, stripe, companies }, flags);
  await stop.promise;
  await Promise.all([quickbooks.stop(), stripe.stop()]);
}

async function startQuickBooks(flags: Flags): Promise<QuickBooksSimulator> {
  const simulator = await startQuickBooksSimulator({
    host: flags.host,
    port: flags.port,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    ...(flags['state-file'] === undefined ? {} : { stateFile: flags['state-file'] }),
    ...(flags['webhook-url'] === undefined
      ? {}
      : { webhook: { url: flags['webhook-url'], verifierToken: flags['verifier-token'] } }),
  });
  // The token counts even when the endpoint is only named later, through the control API.
  await control(simulator, 'POST', '/webhooks', { verifierToken: flags['verifier-token'] });
  return simulator;
}

async function startStripe(flags: Flags): Promise<StripeSimulator> {
  const { host, stripePort: port, 'stripe-state-file': stateFile, 'stripe-webhook-url': url } = flags;
  const simulator = await startStripeSimulator({ host, port, ...(stateFile !== undefined && { stateFile }) });
  const webhooks = [{ url, secret: flags['stripe-webhook-secret'] }];
  for (const { accountId } of url === undefined ? [] : simulator.accounts) {
    await control(simulator, 'PATCH', `/accounts/${accountId}`, { webhooks });
  }
  return simulator;
}

class FlagError extends Error {}

function readFlags() {
  const flags = parseFlags();
  const checked = readPort('port', flags.port);
  const stripePort = readPort('stripe-port', flags['stripe-port'] ?? `${checked === 0 ? 0 : checked + 1}`);
  return { ...flags, port: checked, stripePort };
}

function readPort(name: string, text: string): number {
  const checked = port.safeParse(text);
  if (!checked.success) throw new FlagError(`--${name} must be a number from 0 to 65535.`);
  return checked.data;
}

function parseFlags() {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '4010' },
        host: { type: 'string', default: '127.0.0.1' },
        'state-file': { type: 'string' },
        'webhook-url': { type: 'string' },
        'verifier-token': { type: 'string', default: 'simulator-verifier-token' },
        'stripe-port': { type: 'string' },
        'stripe-state-file': { type: 'string' },
        'stripe-webhook-url': { type: 'string' },
        'stripe-webhook-secret': { type: 'string', default: 'whsec_simulator' },
      },
    });
    return values;
  } catch (error) {
    // A misspelt flag; parseArgs words that well.
    throw new FlagError(error instanceof Error ? error.message : String(error));
  }
}

async function connect(running: QuickBooksSimulator, realmId: string): Promise<Tokens> {
  return tokens.parse(await control(running, 'POST', '/tokens', { realmId }));
}

async function control(
  { controlUrl }: { readonly controlUrl: string },
  method: 'POST' | 'PATCH',
  path: string,
  body: object,
): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${controlUrl}${path}`, { method, headers, body: JSON.stringify(body) });
  if (!response.ok) throw new FlagError(`The simulator refused this: ${await response.text()}`);
  return response.json();
}

interface Simulators {
  readonly quickbooks: QuickBooksSimulator;
  readonly stripe: StripeSimulator;
  readonly companies: readonly Tokens[];
}

function print({ quickbooks, stripe, companies }: Simulators, flags: Flags): void {
  const { baseUrl, authorizeUrl, tokenUrl, revokeUrl, controlUrl } = quickbooks;
  const verifierToken = flags['verifier-token'];
  const webhookSecret = flags['stripe-webhook-secret'];
  const lines = [
    'Simulators of QuickBooks Online and Stripe. Nothing here is real money.',
    '',
    'QuickBooks Online',
    `API               ${baseUrl}/v3/company/{realmId}`,
    `authorize         ${authorizeUrl}`,
    `token             ${tokenUrl}`,
    `revoke            ${revokeUrl}`,
    `control           ${controlUrl}`,
    `client id         ${CLIENT_ID}`,
    `client secret     ${CLIENT_SECRET}`,
    `verifier token    ${verifierToken}`,
    ...companies.flatMap(({ realmId, accessToken, refreshToken }) => [
      `company ${realmId}`,
      `  refresh token   ${refreshToken}`,
      `  access token    ${accessToken}`,
    ]),
    '',
    'Stripe',
    `API               ${stripe.baseUrl}/v1`,
    `control           ${stripe.controlUrl}`,
    `signing secret    ${webhookSecret}`,
    ...stripe.accounts.flatMap(({ accountId, secretKey }) => [
      `account ${accountId}`,
      `  secret key      ${secretKey}`,
    ]),
  ];
  const summary = {
    ...{ baseUrl, authorizeUrl, tokenUrl, revokeUrl, controlUrl },
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    verifierToken,
    companies,
    stripe: { baseUrl: stripe.baseUrl, controlUrl: stripe.controlUrl, webhookSecret, accounts: stripe.accounts },
  };
  process.stdout.write(`${lines.join('\n')}\n${JSON.stringify(summary)}\n`);
}

/** What the caller can mend is said in one sentence; anything else is a bug and keeps its stack. */
function explain(error: unknown): string {
  if (error instanceof FlagError) return error.message;
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return 'The port is in use: stop the program that listens there, or choose another one with --port or --stripe-port.';
  }
  return error instanceof Error ? String(error.stack) : String(error);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
}
