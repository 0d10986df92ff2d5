import { parseArgs } from 'node:util';
import { z } from 'zod';
import { stopSignal } from './infrastructure/stop-signal.js';
import { type QuickBooksSimulator, startQuickBooksSimulator } from './simulators/quickbooks/simulator.js';

// `npm run simulate`: QuickBooks Online without an account, for trying things out by hand.
//   npm run simulate -- --port 4010 --state-file books.json --webhook-url http://127.0.0.1:4000/webhooks/qbo

const CLIENT_ID = 'simulator-client-id';
const CLIENT_SECRET = 'simulator-client-secret';
const port = z.coerce.number().int().min(0).max(65_535);
const tokens = z.object({ realmId: z.string(), accessToken: z.string(), refreshToken: z.string() });
type Tokens = z.output<typeof tokens>;

type Flags = ReturnType<typeof readFlags>;

async function main(): Promise<void> {
  const flags = readFlags();
  const stop = stopSignal();
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
  await control(simulator, '/webhooks', { verifierToken: flags['verifier-token'] });
  print(simulator, flags, await Promise.all(simulator.realmIds.map((realmId) => connect(simulator, realmId))));
  await stop.promise;
  await simulator.stop();
}

class FlagError extends Error {}

function readFlags() {
  const flags = parseFlags();
  const checked = port.safeParse(flags.port);
  if (!checked.success) throw new FlagError('--port must be a number from 0 to 65535.');
  return { ...flags, port: checked.data };
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
      },
    });
    return values;
  } catch (error) {
    // A misspelt flag; parseArgs words that well.
    throw new FlagError(error instanceof Error ? error.message : String(error));
  }
}

async function connect(running: QuickBooksSimulator, realmId: string): Promise<Tokens> {
  return tokens.parse(await control(running, '/tokens', { realmId }));
}

async function control({ controlUrl }: QuickBooksSimulator, path: string, body: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${controlUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return response.json();
}

function print(
  { baseUrl, authorizeUrl, tokenUrl, revokeUrl, controlUrl }: QuickBooksSimulator,
  flags: Flags,
  pairs: Tokens[],
): void {
  const verifierToken = flags['verifier-token'];
  const companies = pairs.flatMap(({ realmId, accessToken, refreshToken }) => [
    `company ${realmId}`,
    `  refresh token   ${refreshToken}`,
    `  access token    ${accessToken}`,
  ]);
  const lines = [
    'QuickBooks Online simulator. Nothing here is real money.',
    `API               ${baseUrl}/v3/company/{realmId}`,
    `authorize         ${authorizeUrl}`,
    `token             ${tokenUrl}`,
    `revoke            ${revokeUrl}`,
    `control           ${controlUrl}`,
    `client id         ${CLIENT_ID}`,
    `client secret     ${CLIENT_SECRET}`,
    `verifier token    ${verifierToken}`,
    ...companies,
  ];
  const summary = {
    baseUrl,
    authorizeUrl,
    tokenUrl,
    revokeUrl,
    controlUrl,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    verifierToken,
    companies: pairs,
  };
  process.stdout.write(`${lines.join('\n')}\n${JSON.stringify(summary)}\n`);
}

/** What the caller can mend is said in one sentence; anything else is a bug and keeps its stack. */
function explain(error: unknown): string {
  if (error instanceof FlagError) return error.message;
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return 'The port is in use: stop the program that listens there, or choose another one with --port.';
  }
  return error instanceof Error ? String(error.stack) : String(error);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
}
