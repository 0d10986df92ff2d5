import { Decimal } from './decimal.js';

/** A JSON object as it travels: every number in it is a `Decimal` or a small counter. */
export type JsonObject = Record<string, unknown>;

/** Reads JSON and keeps every number exact by taking its source text. Throws a SyntaxError like JSON.parse. */
export function parseJson(text: string): unknown {
  return JSON.parse(text, (_key, value, context) => {
    if (typeof value !== 'number') return value;
    // A number that is not plain decimal notation stays text, which no amount field accepts.
    return Decimal.parse(context.source ?? '') ?? context.source;
  });
}

export function toJson(value: unknown): string {
  return JSON.stringify(value) ?? 'null';
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Decimal);
}

/** Leaves out what is undefined or null: the provider omits empty fields instead of writing null. */
export function withoutEmpty(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && value !== null));
}
