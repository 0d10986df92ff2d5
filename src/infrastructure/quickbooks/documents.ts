import { z } from 'zod';

/** A reference to another object: `{"value": "1", "name": "Services"}`. */
export const reference = z.object({ value: z.string().min(1) });
export const optionalReference = reference.nullish();

/** `MetaData` of an object. Its times are rounded to the nearest second. */
export const optionalMetaData = z
  .object({ CreateTime: z.string().nullish(), LastUpdatedTime: z.string().nullish() })
  .nullish();

/** A point in time as QuickBooks writes it. Undefined: none, or not one. */
export function instant(text: string | null | undefined): Date | undefined {
  const date = new Date(text ?? '');
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** What could be read of several rows. */
export interface Rows<Document> {
  readonly documents: readonly Document[];
  /** Ids of the others. */
  readonly unreadableIds: readonly string[];
}

const identified = z.looseObject({ Id: z.string().min(1) });

/** Rows of any content: each is read by itself, so that one that cannot be understood costs only itself. */
export const anyRows = z.array(identified).optional();

export function readRows<Schema extends z.ZodType>(
  rows: z.output<typeof anyRows>,
  schema: Schema,
): Rows<z.output<Schema>> {
  const read = (rows ?? []).map((row) => ({ id: row.Id, parsed: schema.safeParse(row) }));
  return {
    documents: read.flatMap(({ parsed }) => (parsed.success ? [parsed.data] : [])),
    unreadableIds: read.flatMap(({ id, parsed }) => (parsed.success ? [] : [id])),
  };
}

/** As `queryRows`, row by row. */
export function queryRowsApart<Schema extends z.ZodType>(
  json: unknown,
  entity: string,
  schema: Schema,
): Rows<z.output<Schema>> | undefined {
  const { success, data } = z.object({ QueryResponse: z.object({ [entity]: anyRows }) }).safeParse(json);
  return success ? readRows(data.QueryResponse[entity], schema) : undefined;
}

/** The answer to a read of one object, as rows: none that can be read when it is not understood. */
export function singleRow<Schema extends z.ZodType>(
  json: unknown,
  entity: string,
  externalId: string,
  schema: Schema,
): Rows<z.output<Schema>> {
  const row = z.object({ [entity]: z.unknown() }).safeParse(json).data?.[entity];
  const { success, data } = schema.safeParse(row);
  return success ? { documents: [data], unreadableIds: [] } : { documents: [], unreadableIds: [externalId] };
}

/** The rows of a query answer, in which the entity's key is missing when there are none. Undefined: not understood. */
export function queryRows<Schema extends z.ZodType>(
  json: unknown,
  entity: string,
  schema: Schema,
): z.output<Schema>[] | undefined {
  const rows = z.array(schema).optional();
  const answer = z.object({ QueryResponse: z.object({ [entity]: rows }) });
  const { success, data } = answer.safeParse(json);
  return success ? (data.QueryResponse[entity] ?? []) : undefined;
}
