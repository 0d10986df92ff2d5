import { describe, expect, test } from '@jest/globals';
import { parse, validate } from 'graphql';
import { exampleOperations } from '../../../src/api/graphql/ide-examples.js';
import { costOf } from '../../../src/api/graphql/limits/cost.js';
import { buildGraphQLSchema } from '../../../src/api/graphql/schema.js';
import { ORDER_FIELDS } from '../../bench/rows/list.js';
import { ORDER } from '../../support/purchase-orders.js';

const schema = buildGraphQLSchema();

function cost(source: string, variables: Record<string, unknown> = {}): number {
  const document = parse(source);
  expect(validate(schema, document)).toEqual([]);
  return costOf({ schema, document, operationName: undefined, variables });
}

describe('the cost of a list inside an order', () => {
  const listed = (field: string) => cost(`{ purchaseOrder(id: "po_1") { ${field} } }`) - 1;

  test.each(['payments', 'creditNotes', 'invoices'])('%s is that of the page that is asked for', (name) => {
    expect(listed(`${name} { nodes { id } }`)).toBe(1 + 20 * 2);
    expect(listed(`${name}(first: 5) { nodes { id } }`)).toBe(1 + 5 * 2);
    expect(listed(`${name}(last: 100) { nodes { id } }`)).toBe(1 + 100 * 2);
    expect(listed(`${name}(first: 1000) { nodes { id } }`)).toBe(1 + 100 * 2);
  });

  test('without pages, such as lineItems, is that of ten', () => {
    expect(listed('lineItems { id }')).toBe(1 + 10);
    expect(listed('invoice { history { at } }')).toBe(1 + 1 + 10);
    expect(cost('{ apiKeys(first: 1) { nodes { roles { role } } } }')).toBe(1 + 1 + 1 + 10);
  });
});

describe('within the limit is', () => {
  test('a page of a hundred orders with lines, payments and credit notes, if only just', () => {
    expect(cost(`{ purchaseOrders(first: 100) { nodes { ${ORDER} } } }`)).toBe(49_801);
  });

  test('with all invoices, too, when the pages inside are shorter', () => {
    const details = 'payments(first: 5) { nodes { id paidOn amount { amount } method } }';
    const invoices = 'invoices(first: 5) { nodes { id provider status number total { amount } balance { amount } } }';
    expect(cost(`{ purchaseOrders(first: 100) { nodes { ${details} ${invoices} } } }`)).toBeLessThan(15_000);
  });

  test('the list of fifty that is measured', () => {
    expect(cost(`{ purchaseOrders(first: 50) { nodes { ${ORDER_FIELDS} } } }`)).toBeLessThan(12_500);
  });

  test.each(exampleOperations({}).map(({ name, query, variables }) => [name, query, variables] as const))(
    'the example "%s"',
    (_name, query, variables) => {
      expect(cost(query, variables)).toBeLessThan(2_500);
    },
  );
});

describe('the cost of an operation with variables', () => {
  const document = parse(`
    query List($first: Int, $after: String, $orderBy: PurchaseOrderOrder, $withLines: Boolean = false) {
      purchaseOrders(first: $first, after: $after, orderBy: $orderBy) {
        nodes { id lineItems @include(if: $withLines) { id } }
      }
    }
    query Nodes($ids: [ID!]!) { nodes(ids: $ids) { id } }`);
  const costWith = (variables: Record<string, unknown>, operationName = 'List') =>
    costOf({ schema, document, operationName, variables });

  test('follows its variables, in whichever order they come', () => {
    const asked = [{ first: 10 }, { first: 20 }, {}, { first: 10, withLines: true }, { first: 10, after: 'cursor' }];
    const expected = [21, 41, 41, 131, 21];
    expect(asked.map((variables) => costWith(variables))).toEqual(expected);
    expect(asked.toReversed().map((variables) => costWith(variables))).toEqual(expected.toReversed());
  });

  test('follows the operation of the document, and the lengths of lists', () => {
    expect(costWith({ ids: ['a'] }, 'Nodes')).toBe(2);
    expect(costWith({ ids: ['a', 'b', 'c'] }, 'Nodes')).toBe(4);
  });

  test('is not zero because the same document came with a variable of a wrong type before', () => {
    const orderBy = { field: 'CREATED_AT', direction: 'ASC' };
    expect(costWith({ first: 30, orderBy: { ...orderBy, field: 'SIZE' } })).toBe(0);
    expect(costWith({ first: 30, orderBy })).toBe(61);
  });
});

describe('what execution would leave out', () => {
  const orders = (inner: string) => `purchaseOrders(first: 100) { nodes { ${inner} } }`;
  const endless = orders(`conference { ${orders(`conference { ${orders('id')} }`)} }`);

  test.each([
    ['a required argument', `query ($id: ID = "a") { node(id: $id) { id } ${endless} }`, { id: null }],
    [
      'a condition',
      `query ($is: Boolean = true) { conferences { totalCount @include(if: $is) } ${endless} }`,
      { is: null },
    ],
  ])('for want of %s does not make the rest free', (_what, source, variables) => {
    expect(() => cost(source, variables)).toThrow(
      expect.objectContaining({ extensions: { code: 'BAD_USER_INPUT' }, message: expect.stringContaining('null') }),
    );
  });
});

describe('the cost of a mutation', () => {
  const pay = (alias: string) =>
    `${alias}: reversePayment(input: { paymentId: "pay_1", reason: "No" }) { userErrors { path } }`;

  test('is a thousand and its answer', () => {
    expect(cost(`mutation { ${pay('a')} }`)).toBe(1_000 + 2);
    expect(cost(`mutation { ${pay('a')} ${pay('b')} }`)).toBe(2 * cost(`mutation { ${pay('a')} }`));
  });

  test('is no less inside a fragment', () => {
    const fragment = `fragment Both on Mutation { ${pay('a')} ${pay('b')} }`;
    expect(cost(`mutation { ...Both } ${fragment}`)).toBe(cost(`mutation { ${pay('a')} ${pay('b')} }`));
    expect(cost(`mutation { ... { ${pay('a')} } }`)).toBe(cost(`mutation { ${pay('a')} }`));
  });
});
