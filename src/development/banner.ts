import type { RunningApp } from '../app.js';
import type { Role } from '../config.js';

/**
 * What a person needs to go on after `npm start`: addresses, the key, and a first operation to paste. The key stands
 * here once, and only if it was generated: one of the environment is known to whoever set it.
 */
export function banner(app: RunningApp, role: Role): string {
  const { url, apiKey, apiKeyFile, simulators, addresses, realStripeConferences } = app;
  const lines = [
    '',
    '  conference-invoicing is ready',
    '',
    ...(role === 'worker' ? [] : [`  GraphQL and IDE   ${url}/graphql   (open it in a browser)`]),
    `  Health, metrics   ${url}/readyz   ${url}/metrics`,
    ...provider({ name: 'QuickBooks', simulator: simulators.quickbooks, address: addresses.quickbooks, real: 0 }),
    ...provider({
      name: 'Stripe',
      simulator: simulators.stripe,
      address: addresses.stripe,
      real: realStripeConferences,
    }),
    ...(apiKeyFile === undefined ? [] : [`  Development key   ${apiKey}`]),
    ...(role === 'worker' ? [] : ['', '  A first mutation:', '', ...firstMutation(app)]),
    '',
    '',
  ];
  return lines.join('\n');
}

interface ProviderLines {
  readonly name: string;
  readonly simulator: { readonly baseUrl: string; readonly controlUrl: string } | undefined;
  /** Where it is, when the environment says so. */
  readonly address: string | undefined;
  /** How many conferences are connected to the real one, beside the simulator. */
  readonly real: number;
}

function provider({ name, simulator, address, real }: ProviderLines): string[] {
  const label = `  ${name.padEnd(18)}`;
  if (address !== undefined) return [`${label}whatever answers at ${address}`];
  if (!simulator) return [`${label}the real one, as each conference is connected`];
  const beside = real === 1 ? '1 conference' : `${real} conferences`;
  const reach = real === 0 ? '; no real money, no account needed' : `, and the real one for ${beside}`;
  return [`${label}SIMULATED at ${simulator.baseUrl}${reach}`, `  its controls      ${simulator.controlUrl}`];
}

function firstMutation({ url, apiKeyFile }: RunningApp): string[] {
  const query =
    'mutation { createConference(input: { name: "My Conference", slug: "my-conf", currencyCode: USD }) { conference { id } userErrors { code message } } }';
  // Left to the shell, so that the command can be pasted here and shown around.
  const key = apiKeyFile === undefined ? '$BOOTSTRAP_API_KEY' : `$(cat '${inSingleQuotes(apiKeyFile)}')`;
  return [
    `    curl -s ${url}/graphql -H 'content-type: application/json' -H "authorization: Bearer ${key}" \\`,
    `      -d '${JSON.stringify({ query })}'`,
  ];
}

function inSingleQuotes(text: string): string {
  return text.replaceAll("'", String.raw`'\''`);
}
