import { ArgsType, type ClassType, Field, Int, ObjectType } from 'type-graphql';
import { type Page, type PageRequest, type Position, pageOf } from '../../application/queries/page.js';

@ArgsType()
export class ConnectionArgs implements PageRequest {
  @Field(() => Int, { nullable: true, description: 'How many items from the beginning, 1 to 100; 20 when left out.' })
  first?: number;

  @Field(() => String, { nullable: true, description: 'Begin behind the item with this cursor.' })
  after?: string;

  @Field(() => Int, { nullable: true, description: 'How many items from the end, 1 to 100.' })
  last?: number;

  @Field(() => String, { nullable: true, description: 'End before the item with this cursor.' })
  before?: string;
}

@ObjectType({ description: 'Where a page stands in its list.', simpleResolvers: true })
export class PageInfo {
  @Field(() => Boolean, { description: 'There are items behind this page.' })
  hasNextPage!: boolean;

  @Field(() => Boolean, { description: 'There are items before this page.' })
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true, description: 'Cursor of the first item; null on an empty page.' })
  startCursor!: string | null;

  @Field(() => String, { nullable: true, description: 'Cursor of the last item; null on an empty page.' })
  endCursor!: string | null;
}

/** What is a function here is called only when the client selects it: cursors cost time, counting costs a statement. */
export interface Connection<T> {
  readonly edges: () => readonly { readonly node: T; readonly cursor: string }[];
  readonly nodes: readonly T[];
  readonly pageInfo: () => PageInfo;
  readonly totalCount: () => number | Promise<number>;
}

/** The Relay connection type of an item type, with `nodes` as a shortcut and a count. */
export function connectionType<T extends object>(name: string, itemType: ClassType<T>): ClassType<object> {
  @ObjectType(`${name}Edge`, {
    description: `One ${name} of a list, and where it stands there.`,
    simpleResolvers: true,
  })
  class Edge {
    @Field(() => itemType, { description: 'The item.' })
    node!: T;

    @Field(() => String, { description: 'Stands for its place; give it to `after` or `before`.' })
    cursor!: string;
  }

  @ObjectType(`${name}Connection`, { description: `A page of a list of ${name}s.`, simpleResolvers: true })
  class ConnectionOfType {
    @Field(() => [Edge], { description: 'The items with their cursors.' })
    edges!: Edge[];

    @Field(() => [itemType], { description: 'The items alone.' })
    nodes!: T[];

    @Field(() => PageInfo, { description: 'Where this page stands.' })
    pageInfo!: PageInfo;

    @Field(() => Int, { description: 'How many items all pages have together.' })
    totalCount!: number;
  }
  return ConnectionOfType;
}

export function toConnection<Item, T>(
  page: Page<Item>,
  present: (item: Item) => T,
  totalCount: () => number | Promise<number>,
): Connection<T> {
  const { items, hasNextPage, hasPreviousPage } = page;
  const nodes = items.map(({ item }) => present(item));
  return {
    edges: () => items.map(({ cursor }, index) => ({ node: nodes[index] as T, cursor })),
    nodes,
    pageInfo: () => ({
      hasNextPage,
      hasPreviousPage,
      startCursor: items[0]?.cursor ?? null,
      endCursor: items.at(-1)?.cursor ?? null,
    }),
    totalCount,
  };
}

/** The connection of a list that was read as a whole, such as the payments of one purchase order. */
export function connectionOf<Item, T>(
  rows: readonly Item[],
  request: PageRequest,
  positionOf: (row: Item) => Position,
  present: (item: Item) => T,
): Connection<T> {
  return toConnection(pageOf(rows, request, positionOf), present, () => rows.length);
}
