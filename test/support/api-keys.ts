import { type Data, GraphQLClient } from './graphql-client.js';
import type { TestApp } from './test-app.js';

/** What a key is to grant, as in `createApiKey`. */
export type KeyGrants =
  | { readonly administrator: true }
  | { readonly roles: readonly { readonly conferenceId: string; readonly role: string }[] }
  | { readonly purchaseOrderId: string };

let keys = 0;

/** Makes a key as an administrator, under a name of its own unless `more` says another one. */
export async function makeKey(
  { graphql }: Pick<TestApp, 'graphql'>,
  grants: KeyGrants,
  more: Record<string, unknown> = {},
): Promise<{ readonly id: string; readonly name: string; readonly secret: string }> {
  keys += 1;
  const input = { name: `key ${keys}`, ...grants, ...more };
  const payload: Data = await graphql.mutate('createApiKey', input, 'apiKey { id name } secret');
  if (!payload.apiKey) throw new Error(`no key was made: ${JSON.stringify(payload.userErrors)}`);
  return { ...payload.apiKey, secret: payload.secret };
}

/** A client that bears a new key with these grants. */
export async function clientWith(server: Pick<TestApp, 'graphql' | 'app'>, grants: KeyGrants): Promise<GraphQLClient> {
  return new GraphQLClient(server.app.url, (await makeKey(server, grants)).secret);
}
