import type { ApolloServerPlugin } from '@apollo/server';
import { ApolloServerErrorCode } from '@apollo/server/errors';
import type { GraphQLContext } from './context.js';

/** Errors in a request that was well-formed as far as HTTP is concerned. */
const ERRORS_OF_THE_DOCUMENT = new Set<unknown>([
  ApolloServerErrorCode.GRAPHQL_PARSE_FAILED,
  ApolloServerErrorCode.GRAPHQL_VALIDATION_FAILED,
  ApolloServerErrorCode.BAD_USER_INPUT,
]);

/**
 * GraphQL over HTTP: with `application/json` a well-formed answer has status 200, whatever it says, because proxies send
 * such bodies, too. Apollo's 400 is for clients that name `application/graphql-response+json`.
 */
export function responseStatusPlugin(): ApolloServerPlugin<GraphQLContext> {
  return {
    async requestDidStart({ request }) {
      const knowsStatuses = request.http?.headers.get('accept')?.includes('application/graphql-response+json');
      return {
        async willSendResponse({ response: { body, http } }) {
          if (knowsStatuses || http.status !== 400 || body.kind !== 'single') return;
          const codes = body.singleResult.errors?.map(({ extensions }) => extensions?.code) ?? [];
          if (codes.every((code) => ERRORS_OF_THE_DOCUMENT.has(code))) http.status = 200;
        },
      };
    },
  };
}
