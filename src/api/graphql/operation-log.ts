import { createHash } from 'node:crypto';
import type { ApolloServerPlugin } from '@apollo/server';
import type { GraphQLContext } from './context.js';

/** What is told of one operation: neither its variables nor the caller's name, which hold people's data. */
export interface OperationReport {
  readonly type: string;
  readonly name: string;
  /** See `hashOfDocument`. */
  readonly documentHash: string;
  readonly actorId: string;
  readonly durationMs: number;
  readonly errorCodes: readonly string[];
}

/** What is slower than people expect it to be: a query is waited for at a screen, a mutation calls providers. */
const SLOW_QUERY_MS = 1_000;
const SLOW_MUTATION_MS = 10_000;

export function isSlow({ type, durationMs }: OperationReport): boolean {
  return durationMs > (type === 'mutation' ? SLOW_MUTATION_MS : SLOW_QUERY_MS);
}

export function operationLogPlugin(report: (operation: OperationReport) => void): ApolloServerPlugin<GraphQLContext> {
  return {
    async requestDidStart() {
      const startedAt = performance.now();
      return {
        async willSendResponse({ contextValue, operation, operationName, queryHash, response }) {
          const errors = response.body.kind === 'single' ? (response.body.singleResult.errors ?? []) : [];
          report({
            type: operation?.operation ?? 'invalid',
            name: operationName ?? 'anonymous',
            documentHash: queryHash?.slice(0, 16) ?? 'none',
            actorId: contextValue.actor.id,
            durationMs: Math.round(performance.now() - startedAt),
            errorCodes: errors.map((error) => String(error.extensions?.code)),
          });
        },
      };
    },
  };
}

/** The first 16 hexadecimal digits of its SHA-256: enough to tell documents apart, and nobody's data. */
export function hashOfDocument(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
