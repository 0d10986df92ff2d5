import type { AbortableOperationOptions, CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';

/**
 * Nobody waits any more for a query whose signal aborted, and that it fails then is what was asked for. Kysely would write
 * a line about it to standard error, past every log.
 */
export async function forgetAbortedQueries(connection: DatabaseConnection): Promise<void> {
  const execute = connection.executeQuery.bind(connection);
  connection.executeQuery = async <Row>(query: CompiledQuery, options?: AbortableOperationOptions) => {
    try {
      return await execute<Row>(query, options);
    } catch (error) {
      if (!options?.signal?.aborted) throw error;
      const nothing: QueryResult<Row> = { rows: [] };
      return nothing;
    }
  };
}
