import type { ApolloServerPlugin } from '@apollo/server';
import { Kind, type OperationDefinitionNode } from 'graphql';
import type { GraphQLContext } from './context.js';
import { unauthenticated } from './errors.js';

/** The key in an `Authorization: Bearer <key>` header. */
export function readBearerKey(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S{1,500})$/i.exec(authorization ?? '')?.[1];
}

/**
 * Nothing is answered without a key. In development the schema may be looked at without one; elsewhere even the
 * document is not read, because validation messages describe the schema.
 */
export function authenticationPlugin(options: {
  readonly openIntrospection: boolean;
}): ApolloServerPlugin<GraphQLContext> {
  return {
    async requestDidStart({ contextValue }) {
      if (!contextValue.actor && !options.openIntrospection) throw unauthenticated();
      return {
        async didResolveOperation({ contextValue: { actor }, operation }) {
          if (!actor && !(operation && isIntrospection(operation))) throw unauthenticated();
        },
      };
    },
  };
}

function isIntrospection({ selectionSet }: OperationDefinitionNode): boolean {
  return selectionSet.selections.every((field) => field.kind === Kind.FIELD && field.name.value.startsWith('__'));
}
