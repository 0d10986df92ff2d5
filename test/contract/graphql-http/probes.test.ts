import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Data } from '../../support/graphql-client.js';
import { PRODUCTION_KEY, startTestGraphQL, type TestGraphQLServer } from '../../support/graphql-server.js';
import { BOOTSTRAP_KEY, type ProductionApp, startProductionApp } from '../../support/production-app.js';
import { startSoftGraphQLServer } from '../../support/soft-graphql-server.js';

/** What scanners of GraphQL servers look for. Each probe says whether it found something. */
type Probe = (ask: Ask) => Promise<boolean>;

/** Sends a request to the endpoint and gives what came back, as JSON if it is. */
type Ask = (request: {
  method?: string;
  path?: string;
  type?: string;
  accept?: string;
  body?: string;
}) => Promise<Data>;

const post = (ask: Ask, query: string): Promise<Data> => ask({ body: JSON.stringify({ query }) });
const get = (ask: Ask, query: string): Promise<Data> =>
  ask({ method: 'GET', path: `?query=${encodeURIComponent(query)}` });

const MUTATION = 'mutation { cancelPurchaseOrder(input: { purchaseOrderId: "po_1" }) { __typename } }';

const exhausting: Record<string, Probe> = {
  'a hundred aliases': async (ask) => {
    const aliases = Array.from({ length: 101 }, (_, index) => `alias${index}:__typename`);
    return 'alias100' in ((await post(ask, `query { ${aliases.join(' ')} }`)).data ?? {});
  },
  'ten requests in an array': async (ask) => {
    const answer = await ask({ body: JSON.stringify(Array(10).fill({ query: 'query { __typename }' })) });
    return Array.isArray(answer) && answer.length === 10;
  },
  'ten directives that get an error each': async (ask) => {
    const { errors } = await post(ask, `query { __typename ${'@aa'.repeat(10)} }`);
    return errors.length >= 10;
  },
  'introspection in circles': async (ask) => {
    const circles = '__schema { types { fields { type { fields { type { fields { type { name } } } } } } } }';
    return ((await post(ask, `query { ${circles} }`)).data?.__schema?.types ?? []).length > 25;
  },
  'one field five hundred times': async (ask) =>
    '__typename' in ((await post(ask, `query { ${'__typename \n'.repeat(500)} }`)).data ?? {}),
};

const forged: Record<string, Probe> = {
  'a mutation by GET': async (ask) => 'cancelPurchaseOrder' in ((await get(ask, MUTATION)).data ?? {}),
  'a query by GET': async (ask) => '__typename' in ((await get(ask, 'query { __typename }')).data ?? {}),
  'a form of another site': async (ask) => {
    const body = new URLSearchParams({ query: 'query { __typename }' }).toString();
    return '__typename' in ((await ask({ type: 'application/x-www-form-urlencoded', body })).data ?? {});
  },
};

const talkative: Record<string, Probe> = {
  'times of execution': async (ask) => (await post(ask, 'query { __typename }')).extensions?.tracing !== undefined,
  'exceptions with their stack': async (ask) =>
    /exception|stack|node_modules/i.test(JSON.stringify(await post(ask, 'queryy { __typename }'))),
};

const open: Record<string, Probe> = {
  'an IDE': async (ask) => {
    const pages = ['', '/../', '/../graphiql', '/../playground', '/../console', '/../altair', '/ide/'];
    const found = await Promise.all(pages.map((path) => ask({ method: 'GET', path, accept: 'text/html' })));
    return found.some((page) => /<(!doctype|html|script)/i.test(JSON.stringify(page)));
  },
  'names of fields one did not know': async (ask) =>
    /did you mean/i.test(
      JSON.stringify(await post(ask, 'query { __schema { directive } conferencez { totalCount } }')),
    ),
  'the schema': async (ask) => (await post(ask, 'query { __schema { types { name } } }')).data?.__schema !== undefined,
};

const probes = { ...exhausting, ...forged, ...talkative };
const allProbes = { ...probes, ...open };

test('thirteen things are looked for', () => {
  expect(Object.keys(allProbes)).toHaveLength(13);
});

function asking(url: string, key?: string): Ask {
  return async ({ method = 'POST', path = '', type = 'application/json', accept = '*/*', body }) => {
    const response = await fetch(new URL(`/graphql${path}`, url), {
      method,
      headers: { accept, ...(body && { 'content-type': type }), ...(key && { authorization: `Bearer ${key}` }) },
      ...(body !== undefined && { body }),
    });
    const text = await response.text();
    expect(response.status).toBeLessThan(500);
    return /^[[{]/.test(text) ? JSON.parse(text) : { text };
  };
}

describe('where nothing is closed', () => {
  let server: Awaited<ReturnType<typeof startSoftGraphQLServer>>;

  beforeAll(async () => {
    server = await startSoftGraphQLServer();
  });

  afterAll(() => server.stop());

  test.each(Object.entries(allProbes))('everybody finds %s', async (_what, probe) => {
    expect(await probe(asking(server.url))).toBe(true);
  });
});

describe('in production', () => {
  let server: ProductionApp;

  beforeAll(async () => {
    server = await startProductionApp();
  });

  afterAll(() => server.stop());

  test.each(Object.entries(allProbes))('nobody finds %s', async (_what, probe) => {
    expect(await probe(asking(server.app.url))).toBe(false);
  });

  const { 'the schema': _, ...hiddenFromAll } = allProbes;

  test.each(Object.entries(hiddenFromAll))('nor does who has a key find %s', async (_what, probe) => {
    expect(await probe(asking(server.app.url, BOOTSTRAP_KEY))).toBe(false);
  });
});

describe('in development, where the schema is open', () => {
  let server: TestGraphQLServer;

  beforeAll(async () => {
    server = await startTestGraphQL({ openIntrospection: true });
  });

  afterAll(() => server.stop());

  test.each(Object.entries(probes))('nobody finds %s, with or without a key', async (_what, probe) => {
    expect(await probe(asking(server.url))).toBe(false);
    expect(await probe(asking(server.url, PRODUCTION_KEY))).toBe(false);
  });
});
