import type { ApolloServerPlugin } from '@apollo/server';
import { Kind, type OperationDefinitionNode } from 'graphql';
import { NOBODY } from '../../application/context.js';
import type { GraphQLContext } from './context.js';
import { unauthenticated } from './errors.js';

/** The key in an `Authorization: Bearer <key>` header. */
export function readBearerKey(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S{1,500})$/i.exec(authorization ?? '')?.[1];
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
