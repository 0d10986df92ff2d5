import type { ApolloServerPlugin } from '@apollo/server';
import type { Request } from 'express';
import { Kind, type OperationDefinitionNode } from 'graphql';
import { type Actor, NOBODY } from '../../application/context.js';
import { CredentialRefused, IdentityProviderUnavailable } from '../../application/ports/identity.js';
import type { GraphQLContext } from './context.js';
import { serviceUnavailable, unauthenticated } from './errors.js';
import type { RateLimits } from './limits/rate-limits.js';

/** An API key has 46 characters; a token with the roles of a hundred conferences has some thousand. */
const BEARER = /^Bearer +(\S{1,8000})$/i;

/** The key or token in an `Authorization: Bearer <key>` header. */
export function readBearerCredential(authorization: string | undefined): string | undefined {
  return BEARER.exec(authorization ?? '')?.[1];
}

export interface Admission {
  readonly findActor: (credential: string) => Promise<Actor | undefined>;
  readonly rateLimits: RateLimits;
}

/**
 * Who sent a request; `NOBODY` without a valid key. Throws what to answer to a token that is not accepted. Keys and tokens
 * that are not valid count against the address that sends them.
 */
export async function findSender(
  { findActor, rateLimits }: Admission,
  request: Pick<Request, 'ip' | 'get'>,
): Promise<Actor> {
  const credential = readBearerCredential(request.get('authorization'));
  if (credential === undefined) return NOBODY;
  try {
    return (await rateLimits.countingFailures(findActor, request.ip ?? '')(credential)) ?? NOBODY;
  } catch (error) {
    if (error instanceof CredentialRefused) throw unauthenticated(error.message);
    if (error instanceof IdentityProviderUnavailable) throw serviceUnavailable(NOT_CHECKED);
    throw error;
  }
}

const NOT_CHECKED = 'Tokens cannot be checked at the moment; try again. API keys go on working.';

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
