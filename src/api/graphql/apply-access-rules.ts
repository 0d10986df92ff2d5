import {
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isIntrospectionType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { AccessDenied, hasRoleAnywhere } from '../../application/access/permissions.js';
import { type Actor, NOBODY } from '../../application/context.js';
import { ConferenceRole } from '../../domain/access/grants.js';
import { type Access, type FieldRules, OBJECT_TYPES, ROOT_FIELDS } from './access-rules.js';
import type { GraphQLContext } from './context.js';
import { unauthenticated } from './errors.js';

/** Puts the rules before the resolvers. Default deny: throws for what has no rule, and for a rule about nothing. */
export function applyAccessRules(schema: GraphQLSchema): void {
  const problems = [...findProblems(schema)];
  if (problems.length > 0) throw new Error(`Access rules: ${problems.join('; ')}.`);
  for (const [name, rules] of Object.entries<FieldRules>(ROOT_FIELDS)) guardRootFields(schema.getType(name), rules);
  for (const [name, rules] of Object.entries(OBJECT_TYPES)) hideFields(schema.getType(name), rules);
}

function* findProblems(schema: GraphQLSchema): Generator<string> {
  const carriers = carrierTypes(schema);
  const types = Object.values(schema.getTypeMap()).filter((type) => isObjectType(type) && !isIntrospectionType(type));
  for (const type of types.filter(isObjectType)) {
    const isRoot = type.name in ROOT_FIELDS;
    const rules = { ...ROOT_FIELDS, ...OBJECT_TYPES }[type.name];
    if (!rules && !carriers.has(type)) yield `${type.name} needs a rule`;
    for (const field of Object.values(type.getFields())) {
      const isRestricted = rules !== undefined && field.name in rules;
      if (isRoot && !isRestricted) yield `${type.name}.${field.name} needs a rule`;
      if (!isRoot && isRestricted && isNonNullType(field.type)) yield `${type.name}.${field.name} must be nullable`;
    }
    for (const name of Object.keys(rules ?? {})) {
      if (!(name in type.getFields())) yield `there is no ${type.name}.${name}`;
    }
  }
  for (const name of Object.keys(OBJECT_TYPES)) {
    if (!isObjectType(schema.getType(name))) yield `there is no ${name}`;
  }
}

/** What mutations answer, and the wrapping of lists. */
function carrierTypes(schema: GraphQLSchema): ReadonlySet<unknown> {
  const mutations = Object.values(schema.getMutationType()?.getFields() ?? {});
  const objects = Object.values(schema.getTypeMap()).filter(isObjectType);
  return new Set([
    ...mutations.map((mutation) => getNamedType(mutation.type)),
    ...objects.filter((type) => type.getInterfaces().some(({ name }) => name === 'UserError')),
    ...objects.filter((type) => hasFields(type, ['edges', 'nodes', 'pageInfo', 'totalCount'])),
    ...objects.filter((type) => hasFields(type, ['cursor', 'node'])),
  ]);
}

function hasFields(type: GraphQLObjectType, names: readonly string[]): boolean {
  return Object.keys(type.getFields()).sort().join() === names.join();
}

type Resolver = GraphQLFieldResolver<unknown, GraphQLContext>;

function guardRootFields(type: unknown, rules: FieldRules): void {
  for (const [field, access] of fieldsOf(type, rules)) {
    // Of a subscription the stream is what must not begin; each event then is as its parent.
    const resolverName = isObjectType(type) && type.name === 'Subscription' ? 'subscribe' : 'resolve';
    const resolve: Resolver = field[resolverName] ?? defaultFieldResolver;
    field[resolverName] = (source, args, context, info) => {
      requireEntry(context.actor, access);
      return resolve(source, args, context, info);
    };
  }
}

function hideFields(type: unknown, rules: FieldRules): void {
  for (const [field, access] of fieldsOf(type, rules)) {
    const resolve: Resolver = field.resolve ?? defaultFieldResolver;
    field.resolve = (source, args, context, info) =>
      mayEnter(context.actor, access) ? resolve(source, args, context, info) : null;
  }
}

/** The fields that have a rule of their own; the others keep their resolvers and cost nothing. */
function fieldsOf(type: unknown, rules: FieldRules): [GraphQLField<unknown, GraphQLContext>, Access][] {
  const fields = isObjectType(type) ? Object.values(type.getFields()) : [];
  return fields.flatMap((field) => {
    const access = rules[field.name];
    return access === undefined ? [] : [[field, access]];
  });
}

function requireEntry(actor: Actor, access: Access): void {
  if (actor === NOBODY) throw unauthenticated();
  if (!mayEnter(actor, access)) throw new AccessDenied(`This needs ${NEEDED[access]}.`);
}

const NEEDED: Readonly<Record<Access, string>> = {
  PORTAL: 'a key that grants something',
  VIEWER: 'the role VIEWER in a conference',
  FINANCE: 'the role FINANCE in a conference',
  ORGANISER: 'the role ORGANISER in a conference',
  ADMINISTRATOR: 'an administrator of the server',
};

function mayEnter(actor: Actor, access: Access): boolean {
  const { isAdministrator, roles, purchaseOrderId } = actor.grants;
  switch (access) {
    case 'PORTAL':
      return isAdministrator || roles.size > 0 || purchaseOrderId !== null;
    case 'ADMINISTRATOR':
      return isAdministrator;
    default:
      return hasRoleAnywhere(actor, ConferenceRole[access]);
  }
}
