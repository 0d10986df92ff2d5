import { z } from 'zod';

/** A reference to another object: `{"value": "1", "name": "Services"}`. */
export const reference = z.object({ value: z.string().min(1) });
export const optionalReference = reference.nullish();

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
