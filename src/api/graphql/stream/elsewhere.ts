import type { ApolloServerPlugin } from '@apollo/server';
import { ApolloServerErrorCode } from '@apollo/server/errors';
import { GraphQLError, OperationTypeNode } from 'graphql';

/** Apollo would execute a subscription as if it were a query, once and without anything that happened. */
export function subscriptionsElsewherePlugin(): ApolloServerPlugin {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ operation }) {
          if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) return;
          const extensions = { code: ApolloServerErrorCode.BAD_REQUEST, http: { status: 400 } };
          throw new GraphQLError('Subscriptions are served at /graphql/stream.', { extensions });
        },
      };
    },
  };
}
