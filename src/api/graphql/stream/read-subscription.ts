import { ApolloServerErrorCode } from '@apollo/server/errors';
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  OperationTypeNode,
  parse,
  validate,
} from 'graphql';
import { documentRules, MAX_TOKENS, MAX_VALIDATION_ERRORS } from '../limits/document-limits.js';

/** What a client sent. */
export interface SubscriptionRequest {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Record<string, unknown> | null | undefined;
}

/** A document that may be executed, of which one subscription is meant. */
export interface ReadSubscription {
  readonly document: DocumentNode;
  readonly operationName: string | null | undefined;
  readonly variables: Record<string, unknown>;
}

export interface ReadingOptions {
  readonly schema: GraphQLSchema;
  /** Whether errors may name fields that the document does not. */
  readonly suggest: boolean;
}

/** Reads and validates as `POST /graphql` does. What is wrong with it is returned, as errors with their codes. */
export function readSubscription(
  { query, operationName, variables }: SubscriptionRequest,
  { schema, suggest }: ReadingOptions,
): ReadSubscription | readonly GraphQLError[] {
  const document = parsed(query);
  if (document instanceof GraphQLError) return [document];
  const limits = { maxErrors: MAX_VALIDATION_ERRORS, hideSuggestions: !suggest };
  const invalid = validate(schema, document, documentRules, limits);
  if (invalid.length > 0) return invalid.map((error) => coded(error, ApolloServerErrorCode.GRAPHQL_VALIDATION_FAILED));
  const operation = getOperationAST(document, operationName);
  if (!operation) return [refused(ApolloServerErrorCode.OPERATION_RESOLUTION_FAILURE, 'Say which operation is meant.')];
  if (operation.operation !== OperationTypeNode.SUBSCRIPTION) {
    return [
      refused(ApolloServerErrorCode.BAD_REQUEST, 'Only subscriptions are served here: POST the rest to /graphql.'),
    ];
  }
  const given = variables ?? {};
  const { errors } = getVariableValues(schema, operation.variableDefinitions ?? [], given);
  if (errors) return errors.map((error) => coded(error, ApolloServerErrorCode.BAD_USER_INPUT));
  return { document, operationName, variables: given };
}

function parsed(query: string): DocumentNode | GraphQLError {
  try {
    return parse(query, { maxTokens: MAX_TOKENS });
  } catch (error) {
    if (error instanceof GraphQLError) return coded(error, ApolloServerErrorCode.GRAPHQL_PARSE_FAILED);
    throw error;
  }
}

/** A limit that the document exceeds has a code already. */
function coded(error: GraphQLError, code: string): GraphQLError {
  const { message, nodes = null, source = null, positions = null, extensions } = error;
  return new GraphQLError(message, { nodes, source, positions, extensions: { code, ...extensions } });
}

function refused(code: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code } });
}
