import {
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLSchema,
  isIntrospectionType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { AccessDenied, hasRoleAnywhere } from '../../application/access/permissions.js';
import { type Actor, NOBODY } from '../../application/context.js';
import { ConferenceRole } from '../../domain/access/grants.js';
import {
  type Access,
  type FieldRules,
  OBJECT_TYPES,
  type ObjectRules,
  ROOT_FIELDS,
  USER_ERROR,
} from './access-rules.js';
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
  const types = Object.values(schema.getTypeMap()).filter(isObjectType);
  for (const type of types) {
    if (isIntrospectionType(type) || isPartOfList(type)) continue;
    const rules = rulesOf(type);
    if (!rules) yield `${type.name} needs a rule`;
    else yield* findProblemsOf(type, rules);
  }
  const required = Object.entries({ ...ROOT_FIELDS, ...OBJECT_TYPES });
  for (const [name, rules] of required) {
    const type = schema.getType(name);
    const fields = isObjectType(type) ? type.getFields() : {};
    for (const field of Object.keys(rules)) if (!(field in fields)) yield `there is no ${name}.${field}`;
  }
}

function* findProblemsOf(type: GraphQLObjectType, rules: ObjectRules): Generator<string> {
  for (const field of Object.values(type.getFields())) {
    const access = Object.hasOwn(rules, field.name) ? rules[field.name] : undefined;
    const isHidden = access !== 'AS_OBJECT' && !(type.name in ROOT_FIELDS);
    if (access === undefined) yield `${type.name}.${field.name} needs a rule`;
    else if (isHidden && isNonNullType(field.type)) yield `${type.name}.${field.name} must be nullable`;
  }
}

function rulesOf(type: GraphQLObjectType): ObjectRules | undefined {
  const isUserError = type.getInterfaces().some(({ name }) => name === 'UserError');
  return isUserError ? USER_ERROR : { ...ROOT_FIELDS, ...OBJECT_TYPES }[type.name];
}

/** The wrapping of lists; with any other field it is something else. */
function isPartOfList(type: GraphQLObjectType): boolean {
  return hasFields(type, ['edges', 'nodes', 'pageInfo', 'totalCount']) || hasFields(type, ['cursor', 'node']);
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

function hideFields(type: unknown, rules: ObjectRules): void {
  for (const [field, access] of fieldsOf(type, rules)) {
    const resolve: Resolver = field.resolve ?? defaultFieldResolver;
    field.resolve = (source, args, context, info) =>
      mayEnter(context.actor, access) ? resolve(source, args, context, info) : null;
  }
}

/** The fields that have a rule of their own; the others keep their resolvers and cost nothing. */
function fieldsOf(type: unknown, rules: ObjectRules): [GraphQLField<unknown, GraphQLContext>, Access][] {
  const fields = isObjectType(type) ? Object.values(type.getFields()) : [];
  return fields.flatMap((field) => {
    const access = rules[field.name];
    return access === undefined || access === 'AS_OBJECT' ? [] : [[field, access]];
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
