import type { ApolloServerPlugin } from '@apollo/server';
import { type GraphQLError, Kind, type OperationDefinitionNode } from 'graphql';
import { type Actor, NOBODY } from '../../application/context.js';
import { CredentialRefused, IdentityProviderUnavailable } from '../../application/ports/identity.js';
import type { GraphQLContext } from './context.js';
import { serviceUnavailable, unauthenticated } from './errors.js';

/** An API key has 46 characters; a token with the roles of a hundred conferences has some thousand. */
const BEARER = /^Bearer +(\S{1,8000})$/i;

/** The key or token in an `Authorization: Bearer <key>` header. */
export function readBearerCredential(authorization: string | undefined): string | undefined {
  return BEARER.exec(authorization ?? '')?.[1];
}

/** Who sent this header; `NOBODY` without a credential, or with a key that is not valid. Throws for a refused token. */
export async function authenticate(
  findActor: (credential: string) => Promise<Actor | undefined>,
  authorization: string | undefined,
): Promise<Actor> {
  const credential = readBearerCredential(authorization);
  if (credential === undefined) return NOBODY;
  try {
    return (await findActor(credential)) ?? NOBODY;
  } catch (error) {
    throw describe(error);
  }
}

function describe(error: unknown): GraphQLError | unknown {
  if (error instanceof CredentialRefused) return unauthenticated(error.message);
  if (error instanceof IdentityProviderUnavailable) {
    return serviceUnavailable('Tokens cannot be checked at the moment; try again. API keys go on working.');
  }
  return error;
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
