import { describe, expect, test } from '@jest/globals';
import { parse } from 'graphql';
import { costOf } from '../../../src/api/graphql/limits/cost.js';
import { buildGraphQLSchema } from '../../../src/api/graphql/schema.js';

const schema = buildGraphQLSchema();

describe('what an operation costs', () => {
  const document = parse(`
    query List($first: Int, $after: String, $orderBy: PurchaseOrderOrder, $withLines: Boolean = false) {
      purchaseOrders(first: $first, after: $after, orderBy: $orderBy) {
        nodes { id lineItems @include(if: $withLines) { id } }
      }
    }
    query Nodes($ids: [ID!]!) { nodes(ids: $ids) { id } }`);
  const cost = (variables: Record<string, unknown>, operationName = 'List') =>
    costOf({ schema, document, operationName, variables });

  test('follows its variables, in whichever order they come', () => {
    const asked = [{ first: 10 }, { first: 20 }, {}, { first: 10, withLines: true }, { first: 10, after: 'cursor' }];
    const expected = [21, 41, 41, 131, 21];
    expect(asked.map((variables) => cost(variables))).toEqual(expected);
    expect(asked.toReversed().map((variables) => cost(variables))).toEqual(expected.toReversed());
  });

  test('follows the operation of the document, and the lengths of lists', () => {
    expect(cost({ ids: ['a'] }, 'Nodes')).toBe(2);
    expect(cost({ ids: ['a', 'b', 'c'] }, 'Nodes')).toBe(4);
  });

  test('is not zero because the same document came with a variable of a wrong type before', () => {
    const orderBy = { field: 'CREATED_AT', direction: 'ASC' };
    expect(cost({ first: 30, orderBy: { ...orderBy, field: 'SIZE' } })).toBe(0);
    expect(cost({ first: 30, orderBy })).toBe(61);
  });
});
