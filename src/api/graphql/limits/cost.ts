import { type DocumentNode, GraphQLError, type GraphQLSchema, getOperationAST, getVariableValues } from 'graphql';
// The package's ES modules would load a second copy of graphql, which refuses the schema of the first.
import {
  type ComplexityEstimator,
  fieldExtensionsEstimator,
  getComplexity,
  simpleEstimator,
} from 'graphql-query-complexity/cjs';
import { badUserInput } from '../errors.js';
import { tooComplex } from './limit-errors.js';

/**
 * How many values an answer may have at most, as far as the document tells. A hundred purchase orders with their lines and
 * a default page of payments and credit notes each just fit; lists inside lists reach millions, which no process survives.
 */
export const MAX_COST = 50_000;

/** What a mutation costs beside its answer: it locks, writes and calls a provider. */
const MUTATION_COST = 1_000;

/** An operation that is about to be executed. */
export interface OperationToCount {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operationName: string | null | undefined;
  readonly variables: Record<string, unknown> | null | undefined;
}

/** How many values the answer may have, and what its mutations cost. Throws when that is too much to begin with it. */
export function costOf(operation: OperationToCount): number {
  const cost = estimate(operation);
  if (cost <= MAX_COST) return cost;
  throw tooComplex(
    'cost',
    'This document could have too large an answer: ask for fewer items with "first", or for fewer lists inside lists.',
  );
}

/** What a document was found to cost, by its operation and what of its variables decides that. */
const knownCosts = new WeakMap<DocumentNode, Map<string, number>>();

/** Of a document. Pages of other sizes are other costs, of which clients use a few; long lists come once. */
const MOST_KNOWN = 50;
const LONGEST_KEY = 500;

/** Nothing is kept of what cannot be counted, so that it cannot stand for the cost of what can. */
function estimate(operation: OperationToCount): number {
  const costs = knownCosts.get(operation.document) ?? new Map<string, number>();
  const key = `${operation.operationName} ${JSON.stringify(operation.variables, withoutTexts)}`;
  const known = costs.get(key);
  if (known !== undefined) return known;
  try {
    const cost = count(operation);
    if (costs.size < MOST_KNOWN && key.length <= LONGEST_KEY) knownCosts.set(operation.document, costs.set(key, cost));
    return cost;
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    if (isRefusedByExecution(operation)) return 0;
    // The execution would leave out the field that cannot be had, say with null for its required id, and answer the rest.
    throw badUserInput(error.message);
  }
}

/** Whether nothing of it is executed because its variables are of wrong types, which is then said in better words. */
function isRefusedByExecution({ schema, document, operationName, variables }: OperationToCount): boolean {
  const definitions = getOperationAST(document, operationName)?.variableDefinitions ?? [];
  return getVariableValues(schema, definitions, variables ?? {}).errors !== undefined;
}

/** Costs depend on numbers, truth values and the lengths of lists; ids and cursors are new in each request. */
function withoutTexts(_name: string, value: unknown): unknown {
  return typeof value === 'string' ? '' : value;
}

function count({ schema, document, operationName, variables }: OperationToCount): number {
  return getComplexity({
    schema,
    query: document,
    ...(operationName != null && { operationName }),
    variables: variables ?? {},
    estimators: [mutationEstimator, fieldExtensionsEstimator(), simpleEstimator({ defaultComplexity: 1 })],
  });
}

const mutationEstimator: ComplexityEstimator = ({ type, childComplexity }) =>
  type.name === 'Mutation' ? MUTATION_COST + childComplexity : undefined;
