import { type MinorUnits, minorUnits } from '../../domain/money.js';

/** A value that PostgreSQL writes as JSON: the SQL expression that gives it, and how it is read. */
export interface JsonValue<T> {
  readonly sql: string;
  /** PostgreSQL built it after the expression; checking it again would cost more than reading it. */
  readonly read: (json: never) => T;
}

/** Texts, whole numbers, truth values and calendar days stay what they are. */
export function plain<T>(sql: string): JsonValue<T> {
  return { sql, read: (json: T) => json };
}

/** A text in JSON, because a number there may lose digits. */
export function amount(sql: string): JsonValue<MinorUnits> {
  return { sql: `${sql}::text`, read: (text: string) => minorUnits(BigInt(text)) };
}

export function instant(sql: string): JsonValue<Date> {
  return { sql, read: (text: string) => new Date(text) };
}

/** What may be missing. */
export function nullable<T>({ sql, read }: JsonValue<T>, condition?: string): JsonValue<T | null> {
  const present = condition === undefined ? sql : `case when ${condition} then ${sql} end`;
  return { sql: present, read: (json: never) => (json === null ? null : read(json)) };
}

/** An object. It travels as an array: the names would cost PostgreSQL more than the values (ADR 0028). */
export function record<T extends object>(fields: { readonly [Name in keyof T]: JsonValue<T[Name]> }): JsonValue<T> {
  const entries = Object.entries<JsonValue<unknown>>(fields);
  return {
    sql: `json_build_array(${entries.map(([, { sql }]) => sql).join(', ')})`,
    read: (values: readonly never[]) => {
      const object: Record<string, unknown> = {};
      let index = 0;
      for (const [name, { read }] of entries) object[name] = read(values[index++] as never);
      return object as T;
    },
  };
}

/** All rows of a `from` clause, in this order. */
export function list<T>({ sql, read }: JsonValue<T>, from: string, orderBy: string): JsonValue<readonly T[]> {
  return {
    sql: `(select coalesce(json_agg(${sql} order by ${orderBy}), '[]') from ${from})`,
    read: (items: readonly never[]) => items.map(read),
  };
}
