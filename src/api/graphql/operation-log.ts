import { createHash } from 'node:crypto';
import type { ApolloServerPlugin } from '@apollo/server';
import type { GraphQLContext } from './context.js';

/** What is told of one operation: never its variables, which hold people's data. */
export interface OperationReport {
  readonly type: string;
  readonly name: string;
  /** The first 16 hexadecimal digits of the document's SHA-256. */
  readonly documentHash: string;
  readonly actor: string;
  readonly durationMs: number;
  readonly errorCodes: readonly string[];
}

export function operationLogPlugin(report: (operation: OperationReport) => void): ApolloServerPlugin<GraphQLContext> {
  return {
    async requestDidStart() {
      const startedAt = performance.now();
      return {
        async willSendResponse({ contextValue, operation, operationName, request, response }) {
          const errors = response.body.kind === 'single' ? (response.body.singleResult.errors ?? []) : [];
          report({
            type: operation?.operation ?? 'invalid',
            name: operationName ?? 'anonymous',
            documentHash: createHash('sha256')
              .update(request.query ?? '')
              .digest('hex')
              .slice(0, 16),
            actor: contextValue.actor.name,
            durationMs: Math.round(performance.now() - startedAt),
            errorCodes: errors.map((error) => String(error.extensions?.code)),
          });
        },
      };
    },
  };
}
