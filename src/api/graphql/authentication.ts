import type { ApolloServerPlugin } from '@apollo/server';
import { Kind, type OperationDefinitionNode } from 'graphql';
import { type Actor, NOBODY } from '../../application/context.js';
import { authenticate } from '../authentication.js';
import type { GraphQLContext } from './context.js';
import { serviceUnavailable, unauthenticated } from './errors.js';

/** Who sent this header; `NOBODY` without a valid key. Throws what to answer to a token that is not accepted. */
export async function findSender(
  findActor: (credential: string) => Promise<Actor | undefined>,
  authorization: string | undefined,
): Promise<Actor> {
  const authenticated = await authenticate(findActor, authorization);
  if ('actor' in authenticated) return authenticated.actor;
  const { status, message } = authenticated;
  throw status === 401 ? unauthenticated(message) : serviceUnavailable(message);
}

/**
 * Nothing is answered without a key, except questions about the schema. Outside development not even those: there the
 * context of a request without a key cannot be made, so that its document is not read.
 */
export function authenticationPlugin(): ApolloServerPlugin<GraphQLContext> {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ contextValue: { actor }, operation }) {
          if (actor === NOBODY && !(operation && isIntrospection(operation))) throw unauthenticated();
        },
      };
    },
  };
}

function isIntrospection({ selectionSet }: OperationDefinitionNode): boolean {
  return selectionSet.selections.every((field) => field.kind === Kind.FIELD && field.name.value.startsWith('__'));
}
