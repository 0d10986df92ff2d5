import type { ApolloServerPlugin } from '@apollo/server';
import type { GraphQLContext } from '../context.js';
import { costOf, MAX_COST, type OperationToCount } from './cost.js';
import type { Caller, RateLimits } from './rate-limits.js';

/** What a request costs beside the values of its answer. */
const REQUEST_COST = 100;

/**
 * To be called before a valid operation is executed. Throws when it, or its caller, asks for too much; returns what it
 * took out of the caller's budget.
 */
export async function checkOperation(limits: RateLimits, caller: Caller, operation: OperationToCount): Promise<number> {
  const cost = REQUEST_COST + (await costOfAnswer(limits, caller, operation));
  await limits.spend(caller, cost);
  return cost;
}

/** Who asks for what is not answered pays for the largest answer, so that nobody asks without end. */
async function costOfAnswer(limits: RateLimits, caller: Caller, operation: OperationToCount): Promise<number> {
  try {
    return costOf(operation);
  } catch (error) {
    await limits.charge(caller, MAX_COST);
    throw error;
  }
}

/** Every operation of Apollo is checked. Texts that were not seen before take time to validate: one a character. */
export function operationLimitsPlugin(limits: RateLimits): ApolloServerPlugin<GraphQLContext> {
  return {
    async requestDidStart({ schema }) {
      return {
        async parsingDidStart({ contextValue, source }) {
          await limits.charge(contextValue, source.length);
        },
        async didResolveOperation({ contextValue, document, operationName, request: { variables } }) {
          await checkOperation(limits, contextValue, { schema, document, operationName, variables });
        },
      };
    },
  };
}
