import type { ApolloServerPlugin } from '@apollo/server';
import { GraphQLError } from 'graphql';
// The package's ES modules would load a second copy of graphql, which refuses the schema of the first.
import {
  type ComplexityEstimatorArgs,
  fieldExtensionsEstimator,
  getComplexity,
  simpleEstimator,
} from 'graphql-query-complexity/cjs';
import { DEFAULT_PAGE_SIZE, type PageRequest } from '../../application/queries/page.js';
import type { GraphQLContext } from './context.js';

/**
 * How many values an answer may have at most, as far as the document tells. A hundred purchase orders with everything
 * about them have about 25,000; lists inside lists reach millions, which no process survives.
 */
const MAX_COMPLEXITY = 50_000;

/** Refuses documents that could have too large an answer before anything is read. */
export function complexityPlugin(): ApolloServerPlugin<GraphQLContext> {
  return {
    async requestDidStart({ schema }) {
      return {
        async didResolveOperation({ document, operationName, request: { variables } }) {
          const complexity = estimate({
            schema,
            query: document,
            ...(operationName !== null && { operationName }),
            variables: variables ?? {},
            estimators: [fieldExtensionsEstimator(), simpleEstimator({ defaultComplexity: 1 })],
          });
          if (complexity > MAX_COMPLEXITY) throw tooComplex();
        },
      };
    },
  };
}

/** Variables of a wrong type cannot be counted with: the execution then refuses them, in better words. */
function estimate(options: Parameters<typeof getComplexity>[0]): number {
  try {
    return getComplexity(options);
  } catch (error) {
    if (error instanceof GraphQLError) return 0;
    throw error;
  }
}

function tooComplex(): GraphQLError {
  return new GraphQLError(
    'This document could have too large an answer: ask for fewer items with "first", or for fewer lists inside lists.',
    { extensions: { code: 'QUERY_TOO_COMPLEX', http: { status: 400 } } },
  );
}

/** A page of a list: as many times its items as are asked for. */
export function pageComplexity({ args, childComplexity }: ComplexityEstimatorArgs): number {
  const { first, last }: PageRequest = args;
  return 1 + (first ?? last ?? DEFAULT_PAGE_SIZE) * childComplexity;
}

/** The lines, payments or credit notes of one order: mostly few, whatever page is asked for. */
const USUAL_DETAILS = 10;

export function detailsComplexity({ childComplexity }: ComplexityEstimatorArgs): number {
  return 1 + USUAL_DETAILS * childComplexity;
}
