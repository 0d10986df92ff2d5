import assert from 'node:assert/strict';
import { z } from 'zod';
import type { ExpectedExchange } from '../load/work-order.js';
import { AUTHORIZED } from '../servers.js';
import { normalise } from './normalise.js';

type Request = Omit<ExpectedExchange, 'answer'>;

/** Asks once; the answer is what the generator expects from then on. */
export async function expectedExchange(url: string, request: Request): Promise<ExpectedExchange> {
  const { path, headers, body } = request;
  const response = await fetch(`${url}${path}`, { method: 'POST', headers, body });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${url}${path} answered ${response.status}: ${answer.slice(0, 1000)}`);
  return { ...request, answer };
}

/** A GraphQL request; the peers do not mind our key. */
export function graphql(query: string, variables: Readonly<Record<string, unknown>>): Request {
  return { path: '/graphql', headers: AUTHORIZED, body: JSON.stringify({ query, variables }) };
}

/** The `data` of a GraphQL answer without errors. */
export function dataOf<T>({ answer }: ExpectedExchange, schema: z.ZodType<T>): T {
  const { data, errors } = z.object({ data: z.unknown(), errors: z.unknown().optional() }).parse(JSON.parse(answer));
  if (errors !== undefined) throw new Error(`GraphQL failed: ${JSON.stringify(errors).slice(0, 1000)}`);
  return schema.parse(data);
}

/** A benchmark of different answers would compare nothing. */
export function assertSame(ours: unknown, peers: unknown, peerName: string): void {
  assert.deepEqual(normalise(peers), normalise(ours), `${peerName} answers something else than we do`);
}
