import type { RunningApp } from '../app.js';

/** What a person needs to go on after `npm start`: addresses, the key, and a first operation to paste. */
export function banner({ url, apiKey, simulators }: RunningApp): string {
  const { quickbooks } = simulators;
  const lines = [
    '',
    '  conference-invoicing is ready',
    '',
    `  GraphQL and IDE   ${url}/graphql   (open it in a browser)`,
    `  Health, metrics   ${url}/readyz   ${url}/metrics`,
    ...(quickbooks
      ? [
          `  QuickBooks        SIMULATED at ${quickbooks.baseUrl}; no real money, no account needed`,
          `  its controls      ${quickbooks.controlUrl}`,
        ]
      : ['  QuickBooks        the real one, as each conference is connected']),
    ...(apiKey === undefined ? [] : [`  Development key   ${apiKey}`]),
    '',
    '  A first mutation:',
    '',
    ...firstMutation(url, apiKey).map((line) => `    ${line}`),
    '',
    '',
  ];
  return lines.join('\n');
}

function firstMutation(url: string, apiKey = '<key>'): string[] {
  const query =
    'mutation { createConference(input: { name: "My Conference", slug: "my-conf", currencyCode: USD }) { conference { id } userErrors { code message } } }';
  return [
    `curl -s ${url}/graphql -H 'content-type: application/json' -H 'authorization: Bearer ${apiKey}' \\`,
    `  -d '${JSON.stringify({ query })}'`,
  ];
}
