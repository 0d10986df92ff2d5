import type { RunningApp } from '../app.js';
import type { Role } from '../config.js';

/**
 * What a person needs to go on after `npm start`: addresses, the key, and a first operation to paste. The key stands
 * here once, and only if it was generated: one of the environment is known to whoever set it.
 */
export function banner(app: RunningApp, role: Role): string {
  const { url, apiKey, apiKeyFile } = app;
  const lines = [
    '',
    '  conference-invoicing is ready',
    '',
    ...(role === 'worker' ? [] : [`  GraphQL and IDE   ${url}/graphql   (open it in a browser)`]),
    `  Health, metrics   ${url}/readyz   ${url}/metrics`,
    ...quickBooks(app),
    ...(apiKeyFile === undefined ? [] : [`  Development key   ${apiKey}`]),
    ...(role === 'worker' ? [] : ['', '  A first mutation:', '', ...firstMutation(app)]),
    '',
    '',
  ];
  return lines.join('\n');
}

function quickBooks({ simulators: { quickbooks }, quickBooksAddress }: RunningApp): string[] {
  if (quickBooksAddress !== undefined) return [`  QuickBooks        whatever answers at ${quickBooksAddress}`];
  if (!quickbooks) return ['  QuickBooks        the real one, as each conference is connected'];
  return [
    `  QuickBooks        SIMULATED at ${quickbooks.baseUrl}; no real money, no account needed`,
    `  its controls      ${quickbooks.controlUrl}`,
  ];
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
