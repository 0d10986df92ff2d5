import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { type QuickBooksSimulator, startQuickBooksSimulator } from './simulators/quickbooks/simulator.js';

// `npm run simulate`: QuickBooks Online without an account, for trying things out by hand.
//   npm run simulate -- --port 4010 --state-file books.json --webhook-url http://127.0.0.1:4000/webhooks/qbo

const CLIENT_ID = 'simulator-client-id';
const CLIENT_SECRET = 'simulator-client-secret';
const port = z.coerce.number().int().min(0).max(65_535);
const tokens = z.object({ realmId: z.string(), accessToken: z.string(), refreshToken: z.string() });
type Tokens = z.output<typeof tokens>;

const { values: flags } = parseArgs({
  options: {
    port: { type: 'string', default: '4010' },
    host: { type: 'string', default: '127.0.0.1' },
    'state-file': { type: 'string' },
    'webhook-url': { type: 'string' },
    'verifier-token': { type: 'string', default: 'simulator-verifier-token' },
  },
});

const simulator = await startQuickBooksSimulator({
  host: flags.host,
  port: port.parse(flags.port),
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  ...(flags['state-file'] === undefined ? {} : { stateFile: flags['state-file'] }),
  ...(flags['webhook-url'] === undefined
    ? {}
    : { webhook: { url: flags['webhook-url'], verifierToken: flags['verifier-token'] } }),
});
// The token counts even when the endpoint is only named later, through the control API.
await control(simulator, '/webhooks', { verifierToken: flags['verifier-token'] });
print(simulator, await Promise.all(simulator.realmIds.map((realmId) => connect(simulator, realmId))));
await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
await simulator.stop();

async function connect(running: QuickBooksSimulator, realmId: string): Promise<Tokens> {
  return tokens.parse(await control(running, '/tokens', { realmId }));
}

async function control({ controlUrl }: QuickBooksSimulator, path: string, body: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${controlUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return response.json();
}

function print({ baseUrl, authorizeUrl, tokenUrl, revokeUrl, controlUrl }: QuickBooksSimulator, pairs: Tokens[]): void {
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
