import type { TestApp } from './test-app.js';

/**
 * A checksum of the rows of every table: equal before and after means that nothing happened. When a key was last used is
 * left out, because looking is a use.
 */
export async function databaseState({ sql }: Pick<TestApp, 'sql'>): Promise<Record<string, string>> {
  const tables = await sql<{ name: string }>(
    `select table_name as name from information_schema.tables
     where table_schema = 'public' and table_type = 'BASE TABLE' order by table_name`,
  );
  const checksums = tables.map(
    ({
      name,
    }) => `select '${name}' as name, count(*) || ' ' || coalesce(md5(string_agg(row, '|' order by row)), '') as state
      from (select (to_jsonb(t) - 'last_used_at')::text as row from "${name}" t) as rows`,
  );
  const rows = await sql<{ name: string; state: string }>(checksums.join(' union all '));
  return Object.fromEntries(rows.map(({ name, state }) => [name, state]));
}
