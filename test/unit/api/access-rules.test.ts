import { describe, expect, test } from '@jest/globals';
import {
  buildSchema,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  getNamedType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { getMetadataStorage } from 'type-graphql';
import { OBJECT_TYPES, ROOT_FIELDS, USER_ERROR } from '../../../src/api/graphql/access-rules.js';
import { applyAccessRules } from '../../../src/api/graphql/apply-access-rules.js';
import { buildGraphQLSchema } from '../../../src/api/graphql/schema.js';
import { AccessDenied } from '../../../src/application/access/permissions.js';
import { type Actor, NOBODY } from '../../../src/application/context.js';
import { NO_GRANTS } from '../../../src/domain/access/grants.js';
import { ActorKind } from '../../../src/domain/audit/actor.js';

const schema = buildGraphQLSchema();
const objectTypes = Object.values(schema.getTypeMap()).filter(
  (type): type is GraphQLObjectType => isObjectType(type) && !isIntrospectionType(type),
);

/** Types that only carry what has a rule of its own. Named here one by one, unlike in the code that knows them by shape. */
const LISTS = [
  'ApiKey',
  'BulkInvoicingItem',
  'Conference',
  'CreditNote',
  'Invoice',
  'OrganizationBalance',
  'Payment',
  'PurchaseOrder',
  'PurchaseOrderEvent',
  'WebhookEvent',
].flatMap((name) => [`${name}Connection`, `${name}Edge`]);

/** The rule of a field that is none of a root. */
function ruleOf(type: string, field: string): string | undefined {
  if (LISTS.includes(type)) return 'AS_OBJECT';
  return type.endsWith('UserError') ? USER_ERROR[field] : OBJECT_TYPES[type]?.[field];
}

describe('every field of the schema has a rule', () => {
  const rootFields = (['Query', 'Mutation', 'Subscription'] as const).flatMap((root) =>
    Object.keys(objectTypes.find(({ name }) => name === root)?.getFields() ?? {}).map(
      (field) => [root, field] as const,
    ),
  );
  test.each(rootFields)('%s.%s says who may enter', (root, field) => {
    expect(ROOT_FIELDS[root][field]).toMatch(/^(PORTAL|VIEWER|FINANCE|ORGANISER|ADMINISTRATOR)$/);
  });

  const fields = objectTypes
    .filter(({ name }) => !(name in ROOT_FIELDS))
    .flatMap((type) => Object.keys(type.getFields()).map((field) => [type.name, field] as const));
  test.each(fields)('%s.%s is as its object, or for some only', (type, field) => {
    expect(ruleOf(type, field)).toMatch(/^(AS_OBJECT|VIEWER)$/);
  });

  test('no mutation is for viewers or portals', () => {
    const open = Object.entries(ROOT_FIELDS.Mutation).filter(([, access]) => ['PORTAL', 'VIEWER'].includes(access));
    expect(open).toEqual([]);
  });
});

describe('every root field is guarded by itself, whatever stands before it', () => {
  const guards = (['Query', 'Mutation', 'Subscription'] as const).flatMap((root) => {
    const fields = objectTypes.find(({ name }) => name === root)?.getFields() ?? {};
    return Object.values(fields).map((field) => {
      const begin = root === 'Subscription' ? field.subscribe : field.resolve;
      return [`${root}.${field.name}`, (actor: Actor) => begin?.({}, {}, { actor }, {} as GraphQLResolveInfo)] as const;
    });
  });

  test.each(guards)('%s', (_name, enter) => {
    expect(() => enter(NOBODY)).toThrow('Send a valid API key');
    expect(() => enter({ id: 'key_1', name: 'nothing granted', kind: ActorKind.API_KEY, grants: NO_GRANTS })).toThrow(
      AccessDenied,
    );
  });
});

describe('the schema cannot be built', () => {
  /** The real schema with something added or taken away. */
  const outline = (more: string) =>
    buildSchema(`
    interface UserError { message: String! }
    ${Object.entries({ ...ROOT_FIELDS, ...OBJECT_TYPES })
      .map(
        ([name, rules]) =>
          `type ${name} { ${Object.keys(rules)
            .map((field) => `${field}: String`)
            .join('\n')} }`,
      )
      .join('\n')}
    ${more}`);

  test('but with exactly what the rules are about', () => {
    expect(() => applyAccessRules(outline(''))).not.toThrow();
  });

  test.each([
    ['a query without a rule', 'extend type Query { secrets: String }', 'Query.secrets needs a rule'],
    ['a mutation without a rule', 'extend type Mutation { dropAll: String }', 'Mutation.dropAll needs a rule'],
    ['a field of an object', 'extend type PurchaseOrder { margin: String }', 'PurchaseOrder.margin needs a rule'],
    [
      'a field of what a mutation answers',
      'extend type RecordPaymentPayload { bank: String }',
      'RecordPaymentPayload.bank needs a rule',
    ],
    [
      'a field of a user error',
      'type OddUserError implements UserError { message: String! stack: String }',
      'OddUserError.stack needs a rule',
    ],
    ['an object type without a rule', 'type Ledger { id: ID }', 'Ledger needs a rule'],
    [
      'a type that is only named like a connection',
      'type LedgerConnection { edges: [String] nodes: [String] }',
      'LedgerConnection needs a rule',
    ],
  ])('with %s', (_what, more, message) => {
    expect(() => applyAccessRules(outline(more))).toThrow(`Access rules: ${message}.`);
  });

  test('with a restricted field that cannot be null', () => {
    const changed = outline('extend type Query { x: String }');
    expect(() => applyAccessRules(changed)).toThrow('Query.x needs a rule');
    const strict = buildSchema('type Query { order: PurchaseOrder } type PurchaseOrder { notes: String! }');
    expect(() => applyAccessRules(strict)).toThrow('PurchaseOrder.notes must be nullable');
  });

  test('with a rule about a field or type that is not there', () => {
    const bare = buildSchema('type Query { node: String }');
    expect(() => applyAccessRules(bare)).toThrow('there is no Query.purchaseOrders');
    expect(() => applyAccessRules(bare)).toThrow('there is no PurchaseOrder.id');
  });
});

test('nothing is left to decorators, which "simple" resolvers would silently switch off', () => {
  const storage = getMetadataStorage();
  expect(storage.authorizedFields).toEqual([]);
  expect(storage.authorizedResolver).toEqual([]);
  expect(storage.middlewares).toEqual([]);
});

/** Nodes that no portal sees: by their ids it gets null. */
const HIDDEN_NODES = ['ApiKey', 'BulkInvoicing', 'WebhookEvent'];

/** Every field that can be reached from the queries open to a portal, but for those that it gets as null. */
function fieldsOfPortals(): [type: string, field: string][] {
  const reached = new Set<GraphQLNamedType>();
  const shown: [string, string][] = [];
  const visit = (type: GraphQLNamedType): void => {
    if (reached.has(type) || HIDDEN_NODES.includes(type.name)) return;
    reached.add(type);
    if (isInterfaceType(type) || isUnionType(type)) for (const each of schema.getPossibleTypes(type)) visit(each);
    if (!isObjectType(type)) return;
    const isOpen = (field: string) =>
      type.name === 'Query' ? ROOT_FIELDS.Query[field] === 'PORTAL' : ruleOf(type.name, field) === 'AS_OBJECT';
    for (const field of Object.values(type.getFields()).filter(({ name }) => isOpen(name))) {
      shown.push([type.name, field.name]);
      visit(getNamedType(field.type));
    }
  };
  const query = schema.getQueryType();
  if (query) visit(query);
  return shown;
}

test('a portal is shown these fields and no others: who adds one decides here whether the buyer may see it', () => {
  const shown = Object.fromEntries(
    Object.entries(Object.groupBy(fieldsOfPortals(), ([type]) => type)).map(([type, fields = []]) => [
      type,
      fields
        .map(([, field]) => field)
        .sort()
        .join(' '),
    ]),
  );
  expect(shown).toEqual({
    Query: 'conference conferences node nodes purchaseOrder purchaseOrders',
    Conference: 'currencyCode endDate id letterhead name purchaseOrders slug startDate timezone',
    ConferenceConnection: 'edges nodes pageInfo totalCount',
    ConferenceEdge: 'cursor node',
    CreditNote: 'amount createdAt id reason reversedBy source',
    CreditNoteConnection: 'edges nodes pageInfo totalCount',
    CreditNoteEdge: 'cursor node',
    CreditNoteReversal: 'createdAt id',
    Invoice: 'balance createdAt emailStatus externalId id isLive lastSyncedAt number payUrl provider status total',
    InvoiceConnection: 'edges nodes pageInfo totalCount',
    InvoiceEdge: 'cursor node',
    LineItem: 'description id lineTotal quantity unitPrice',
    Money: 'amount currencyCode',
    PageInfo: 'endCursor hasNextPage hasPreviousPage startCursor',
    Payment: 'amount createdAt id method paidOn reference reversedBy source',
    PaymentConnection: 'edges nodes pageInfo totalCount',
    PaymentEdge: 'cursor node',
    PaymentReversal: 'createdAt id',
    PurchaseOrder:
      'balanceDue billingAddress buyerReference conference contactEmail contactName createdAt creditNotes currencyCode dueDate id invoice invoices lineItems organizationName payments pdfPath qboInvoice qboInvoiceId reference status stripeInvoice stripeInvoiceId stripeInvoiceUrl subtotal total totalCredited totalPaid updatedAt',
    PurchaseOrderConnection: 'edges nodes pageInfo totalCount',
    PurchaseOrderEdge: 'cursor node',
    QboInvoice: 'balance docNumber emailStatus id lastSyncedAt payUrl status total',
    StripeInvoice: 'balance emailStatus id isDisputed lastSyncedAt number payUrl processing refunded status total',
  });
});
