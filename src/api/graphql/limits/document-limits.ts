import {
  type ASTVisitor,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  specifiedRules,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import { type DocumentLimit, tooComplex } from './limit-errors.js';

/** No hand-written operation has a fifth of it; generated floods have more. For `parse`, as `maxTokens`. */
export const MAX_TOKENS = 5_000;

/** A document with more mistakes than this is told no further ones. For `validate`, as `maxErrors`. */
export const MAX_VALIDATION_ERRORS = 5;

/** What one operation may have, its fragments counted wherever they are used. */
const LIMITS: Readonly<Record<keyof Size, { readonly most: number; readonly advice: string }>> = {
  lists: { most: 3, advice: 'Lists may be nested 3 deep: read the innermost ones in an operation of their own.' },
  depth: { most: 12, advice: 'Fields may be nested 12 deep: read what lies deeper in an operation of its own.' },
  aliases: { most: 15, advice: 'An operation may have 15 aliases: send the rest in another one.' },
  repetitions: { most: 15, advice: 'An operation may name a field again where it stands 15 times: name each once.' },
  directives: { most: 10, advice: 'An operation may have 10 directives: send the rest in another one.' },
  selections: {
    most: 2_000,
    advice: 'An operation may select 2,000 fields, fragments counted wherever they are used: select fewer.',
  },
};

/** How large a selection is. A connection counts as one list: its `nodes` or `edges`. */
interface Size {
  readonly depth: number;
  readonly lists: number;
  readonly aliases: number;
  readonly repetitions: number;
  readonly directives: number;
  readonly selections: number;
}

const NOTHING: Size = { depth: 0, lists: 0, aliases: 0, repetitions: 0, directives: 0, selections: 0 };

/** Refuses operations that nobody writes by hand. Of introspection graphql-js itself limits the depth. */
export const documentLimitsRule: ValidationRule = (context: ValidationContext): ASTVisitor => {
  const fragments = new FragmentSizes(context);
  return {
    OperationDefinition(operation) {
      const exceeded = exceededLimit(fragments.sizeOf(operation));
      if (exceeded) context.reportError(tooComplex(exceeded, LIMITS[exceeded].advice, { nodes: operation }));
    },
  };
};

/** Every rule that a document from outside has to keep. */
export const documentRules: readonly ValidationRule[] = [...specifiedRules, documentLimitsRule];

function exceededLimit(size: Size): (DocumentLimit & keyof Size) | undefined {
  return (Object.keys(LIMITS) as (keyof Size)[]).find((limit) => size[limit] > LIMITS[limit].most);
}

/** Measures each fragment once, so that fragments inside fragments cannot multiply the work. */
class FragmentSizes {
  readonly #schema: GraphQLSchema;
  readonly #fragment: (name: string) => FragmentDefinitionNode | null | undefined;
  readonly #known = new Map<string, Size>();

  constructor(context: ValidationContext) {
    this.#schema = context.getSchema();
    this.#fragment = (name) => context.getFragment(name);
  }

  sizeOf({ operation, selectionSet, directives }: OperationDefinitionNode): Size {
    const size = this.#ofSelections(selectionSet, this.#schema.getRootType(operation));
    return { ...size, directives: size.directives + (directives?.length ?? 0) };
  }

  #ofSelections({ selections }: SelectionSetNode, parent: GraphQLNamedType | null | undefined): Size {
    const size = selections.map((selection) => this.#ofSelection(selection, parent)).reduce(besides, NOTHING);
    return { ...size, repetitions: size.repetitions + repetitionsIn(selections) };
  }

  #ofSelection(node: SelectionNode, parent: GraphQLNamedType | null | undefined): Size {
    const directives = node.directives?.length ?? 0;
    const inner = node.kind === Kind.FIELD ? this.#ofField(node, parent) : this.#ofFragment(node, parent);
    return { ...inner, directives: inner.directives + directives, selections: inner.selections + 1 };
  }

  #ofField({ name, alias, selectionSet }: FieldNode, parent: GraphQLNamedType | null | undefined): Size {
    const type = outputTypeOf(parent, name.value);
    const inner = selectionSet ? this.#ofSelections(selectionSet, type && getNamedType(type)) : NOTHING;
    const aliases = inner.aliases + (alias ? 1 : 0);
    if (name.value.startsWith('__')) return { ...inner, aliases, depth: 0, lists: 0 };
    const isList = type !== undefined && isListType(getNullableType(type));
    return { ...inner, aliases, depth: inner.depth + 1, lists: inner.lists + (isList ? 1 : 0) };
  }

  #ofFragment(node: Exclude<SelectionNode, FieldNode>, parent: GraphQLNamedType | null | undefined): Size {
    if (node.kind === Kind.FRAGMENT_SPREAD) return this.#ofNamedFragment(node.name.value);
    const type = node.typeCondition ? this.#schema.getType(node.typeCondition.name.value) : parent;
    return this.#ofSelections(node.selectionSet, type);
  }

  #ofNamedFragment(name: string): Size {
    const known = this.#known.get(name);
    if (known) return known;
    const fragment = this.#fragment(name);
    if (!fragment) return NOTHING;
    // One that contains itself is refused by another rule; here it must only come to an end.
    this.#known.set(name, NOTHING);
    const size = this.#ofSelections(fragment.selectionSet, this.#schema.getType(fragment.typeCondition.name.value));
    this.#known.set(name, size);
    return size;
  }
}

/** How many fields stand there again, under the same name. */
function repetitionsIn(selections: readonly SelectionNode[]): number {
  const names = selections.flatMap((node) => (node.kind === Kind.FIELD ? [(node.alias ?? node.name).value] : []));
  return names.length - new Set(names).size;
}

function outputTypeOf(parent: GraphQLNamedType | null | undefined, field: string): GraphQLOutputType | undefined {
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[field]?.type : undefined;
}

function besides(one: Size, other: Size): Size {
  return {
    depth: Math.max(one.depth, other.depth),
    lists: Math.max(one.lists, other.lists),
    aliases: one.aliases + other.aliases,
    repetitions: one.repetitions + other.repetitions,
    directives: one.directives + other.directives,
    selections: one.selections + other.selections,
  };
}
