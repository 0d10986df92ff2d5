import type { ApolloServerPlugin } from '@apollo/server';
import { BREAK, type DocumentNode, GraphQLError, Kind, visit } from 'graphql';
import { hasRoleAnywhere } from '../../application/access/permissions.js';
import { ConferenceRole } from '../../domain/access/grants.js';
import type { GraphQLContext } from './context.js';

/** Outside development the schema is shown to staff only: a buyer's portal was written by people who have it. */
export function introspectionPlugin(isOpen: boolean): ApolloServerPlugin<GraphQLContext> {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ contextValue: { actor }, document }) {
          if (!isOpen && !hasRoleAnywhere(actor, ConferenceRole.VIEWER) && asksForSchema(document))
            throw schemaHidden();
        },
      };
    },
  };
}

function asksForSchema(document: DocumentNode): boolean {
  let found = false;
  visit(document, {
    [Kind.FIELD]: ({ name }) => {
      if (name.value !== '__schema' && name.value !== '__type') return undefined;
      found = true;
      return BREAK;
    },
  });
  return found;
}

function schemaHidden(): GraphQLError {
  const message = 'The schema is shown only to keys with a role in a conference.';
  return new GraphQLError(message, { extensions: { code: 'FORBIDDEN', http: { status: 403 } } });
}
