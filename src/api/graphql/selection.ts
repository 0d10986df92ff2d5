import {
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLIncludeDirective,
  type GraphQLResolveInfo,
  GraphQLSkipDirective,
  getDirectiveValues,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

/**
 * The names of the fields that the document selects below the field being resolved, at the end of any of these paths:
 * `selectedFields(info, ['nodes'], ['edges', 'node'])`. Without paths: of the field itself. Whatever their aliases, in
 * fragments, too; what `@skip` and `@include` leave out is left out. Type conditions are not looked at, because the types
 * of these paths have no subtypes.
 */
export function selectedFields(info: GraphQLResolveInfo, ...paths: readonly (readonly string[])[]): Set<string> {
  const found = paths.length === 0 ? [[]] : paths;
  return new Set(found.flatMap((path) => fieldsAt(info, info.fieldNodes, path)).map(({ name }) => name.value));
}

function fieldsAt(info: GraphQLResolveInfo, from: readonly FieldNode[], path: readonly string[]): FieldNode[] {
  const fields = from.flatMap(({ selectionSet }) => fieldsOf(info, selectionSet));
  const [next, ...rest] = path;
  if (next === undefined) return fields;
  return fieldsAt(
    info,
    fields.filter(({ name }) => name.value === next),
    rest,
  );
}

function fieldsOf(info: GraphQLResolveInfo, selectionSet: SelectionSetNode | undefined): FieldNode[] {
  return (selectionSet?.selections ?? []).flatMap((selection) => {
    if (!isIncluded(info, selection)) return [];
    if (selection.kind === Kind.FIELD) return [selection];
    const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragmentOf(info, selection.name.value);
    return fieldsOf(info, fragment?.selectionSet);
  });
}

function fragmentOf({ fragments }: GraphQLResolveInfo, name: string): FragmentDefinitionNode | undefined {
  return fragments[name];
}

function isIncluded({ variableValues }: GraphQLResolveInfo, selection: SelectionNode): boolean {
  if (!selection.directives?.length) return true;
  const skip = getDirectiveValues(GraphQLSkipDirective, selection, variableValues);
  const include = getDirectiveValues(GraphQLIncludeDirective, selection, variableValues);
  return skip?.if !== true && include?.if !== false;
}
