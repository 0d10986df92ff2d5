import { type DocumentNode, GraphQLError, type GraphQLSchema } from 'graphql';
// The package's ES modules would load a second copy of graphql, which refuses the schema of the first.
import { fieldExtensionsEstimator, getComplexity, simpleEstimator } from 'graphql-query-complexity/cjs';
import { tooComplex } from './limit-errors.js';

/**
 * How many values an answer may have at most, as far as the document tells. A hundred purchase orders with their lines and
 * a default page of payments and credit notes each just fit; lists inside lists reach millions, which no process survives.
 */
export const MAX_COST = 50_000;

/** An operation that is about to be executed. */
export interface OperationToCount {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operationName: string | null | undefined;
  readonly variables: Record<string, unknown> | null | undefined;
}

/** How many values the answer may have. Throws when they are too many to begin with reading them. */
export function costOf(operation: OperationToCount): number {
  const cost = estimate(operation);
  if (cost <= MAX_COST) return cost;
  throw tooComplex(
    'cost',
    'This document could have too large an answer: ask for fewer items with "first", or for fewer lists inside lists.',
  );
}

/** Variables of a wrong type cannot be counted with: the execution then refuses them, in better words. */
function estimate({ schema, document, operationName, variables }: OperationToCount): number {
  try {
    return getComplexity({
      schema,
      query: document,
      ...(operationName != null && { operationName }),
      variables: variables ?? {},
      estimators: [fieldExtensionsEstimator(), simpleEstimator({ defaultComplexity: 1 })],
    });
  } catch (error) {
    if (error instanceof GraphQLError) return 0;
    throw error;
  }
}
