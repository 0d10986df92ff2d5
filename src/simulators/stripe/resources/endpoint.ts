import { z } from 'zod';
import type { JsonObject } from '../books/model.js';
import type { Work } from '../books/work.js';
import { id, list } from '../params.js';
import type { ObjectType } from './object-types.js';

export type Method = 'GET' | 'POST' | 'DELETE';

/** One call of the API: what it takes, and what it does in one step. Checks come before the first change. */
export interface Endpoint {
  readonly method: Method;
  /** With `:id` where the id is. */
  readonly path: string;
  readonly params: z.ZodType<{ readonly expand?: readonly string[] | undefined }>;
  readonly returns: ObjectType;
  readonly returnsList: boolean;
  run(work: Work, params: unknown, id: string): JsonObject;
}

interface Definition<Shape extends z.ZodRawShape> {
  readonly takes: Shape;
  readonly returns: ObjectType;
  readonly returnsList?: true;
  run(work: Work, params: z.output<z.ZodObject<Shape>>, id: string): JsonObject;
}

const expand = list(id, 50).optional();

export function endpoint<Shape extends z.ZodRawShape>(
  method: Method,
  path: string,
  { takes, returns, returnsList, run }: Definition<Shape>,
): Endpoint {
  return {
    method,
    path,
    params: z.strictObject({ ...takes, expand }) as unknown as Endpoint['params'],
    returns,
    returnsList: returnsList ?? false,
    // The parameters have been through the schema above.
    run: (work, params, id) => run(work, params as z.output<z.ZodObject<Shape>>, id),
  };
}
