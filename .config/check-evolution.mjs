// `npm run check:evolution`: whether clients of the last release can use the present schema. Refuses breaking changes,
// but for the removal of what that release had deprecated until a day that has come. Dangerous changes are listed only.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import {
  buildSchema,
  findBreakingChanges,
  findDangerousChanges,
  GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isObjectType,
  parse,
  print,
  visit,
} from 'graphql';

const SCHEMA = 'schema.graphql';
const REMOVAL = /\bRemoval not before (\d{4}-\d{2}-\d{2})\b/;
const today = new Date().toISOString().slice(0, 10);

const present = readFileSync(SCHEMA, 'utf8');
const undated = deprecations(present).filter(({ removal }) => removal === undefined);
for (const { name } of undated) console.error(`${name} is deprecated without "Removal not before YYYY-MM-DD"`);

const release = lastRelease();
const broken = release === undefined ? [] : compare(release);
if (undated.length + broken.length > 0) process.exitCode = 1;
else
  console.log(
    release ? `clients of ${release} can use the schema` : 'no release (tag v…) is known here to compare with',
  );

function compare(tag) {
  const released = withoutTheDue(git('show', `${tag}:${SCHEMA}`));
  const next = buildSchema(present);
  for (const { description } of findDangerousChanges(released, next)) console.log(`dangerous: ${description}`);
  const changes = findBreakingChanges(released, next);
  for (const { description } of changes) console.error(`breaking since ${tag}: ${description}`);
  if (changes.length > 0) {
    console.error(
      'Deprecate it with "Removal not before YYYY-MM-DD", release that, and remove it when the day has come.',
    );
  }
  return changes;
}

/** Undefined where there is none, as in a shallow clone, which has no tags. */
function lastRelease() {
  try {
    return git('describe', '--tags', '--abbrev=0', '--match', 'v*').trim();
  } catch {
    return undefined;
  }
}

function git(...args) {
  return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function removalOf({ directives = [] }) {
  const deprecated = directives.find(({ name }) => name.value === 'deprecated');
  const reason = deprecated?.arguments.find(({ name }) => name.value === 'reason')?.value.value ?? '';
  return deprecated && { removal: REMOVAL.exec(reason)?.[1] };
}

/** Every deprecated field, argument, input field and enum value. */
function deprecations(source) {
  const found = [];
  visit(parse(source), {
    enter(node, _key, _parent, _path, ancestors) {
      const deprecated = removalOf(node);
      const names = [...ancestors, node].flatMap(({ name }) => name?.value ?? []);
      if (deprecated) found.push({ name: names.join('.'), ...deprecated });
    },
  });
  return found;
}

/** A released schema as if what may be removed by now were gone already, and with it the types that only it needed. */
function withoutTheDue(source) {
  const document = visit(parse(source), {
    enter(node) {
      const removal = removalOf(node)?.removal;
      return removal !== undefined && removal <= today ? null : undefined;
    },
  });
  const schema = buildSchema(print(document), { assumeValid: true });
  const objects = Object.values(schema.getTypeMap()).filter(isObjectType);
  const outputs = objects.flatMap((type) => Object.values(type.getFields()).map((field) => getNamedType(field.type)));
  const offered = new Set(outputs.filter(isInterfaceType));
  const types = objects.filter((type) => type.getInterfaces().some((each) => offered.has(each)));
  const [query, mutation, subscription] = [
    schema.getQueryType(),
    schema.getMutationType(),
    schema.getSubscriptionType(),
  ];
  return new GraphQLSchema({
    query,
    mutation,
    subscription,
    types,
    directives: schema.getDirectives(),
    assumeValid: true,
  });
}
