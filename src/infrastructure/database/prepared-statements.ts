import { PostgreSqlConnection, PostgreSqlDriver } from '@mikro-orm/postgresql';
import { type AbortableQueryOptions, CompiledQuery } from 'kysely';
import { isPrepared } from '../../application/queries/prepared.js';

/** Each is kept by every connection until it closes. Further ones are planned each time, as all other statements are. */
const MOST = 200;

/**
 * The ORM's driver, which writes values into the text of a statement, so that PostgreSQL plans each anew. Those marked as
 * prepared keep text and values apart, and get a name.
 */
export class PreparingDriver extends PostgreSqlDriver {
  protected override readonly connection = new PreparingConnection(this.config);
}

type Execute = PostgreSqlConnection['execute'];

class PreparingConnection extends PostgreSqlConnection {
  readonly #names = new Map<string, string>();

  override execute: Execute = async (query, params = [], method = 'all', transaction, context) => {
    if (!isPrepared(query) || !Array.isArray(params)) return super.execute(query, params, method, transaction, context);
    await this.ensureConnection();
    const { signal, inflightQueryAbortStrategy, ...logged } = (context ?? {}) as AbortableQueryOptions;
    const statement = this.#statement(query, params);
    const kysely: KyselyLike = transaction ?? this.getClient();
    const ask = async () =>
      this.transformRawResult(
        await kysely.executeQuery(statement, signal && { signal, inflightQueryAbortStrategy }),
        method,
      );
    return this.executeQuery(query, ask, { query, params, ...logged }) as never;
  };

  /** Kysely hands on to pg what it gets for a text, and pg takes a named one there, too. */
  #statement(query: string, params: readonly unknown[]): CompiledQuery {
    const { text, values } = withPlaceholders(query, params);
    const name = this.#nameOf(text);
    return CompiledQuery.raw(name === undefined ? text : ({ name, text } as unknown as string), values);
  }

  #nameOf(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size >= MOST) return known;
    const name = `prepared_${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }
}

interface KyselyLike {
  executeQuery(query: CompiledQuery, options?: AbortableQueryOptions): Promise<unknown>;
}

/** `?` as PostgreSQL's own `$1`; a list, as in `in (?)`, becomes as many of them as it has items. */
function withPlaceholders(query: string, params: readonly unknown[]): { text: string; values: unknown[] } {
  const values: unknown[] = [];
  const left = params.values();
  const text = query.replaceAll('?', () => {
    const param = left.next().value;
    const items = Array.isArray(param) ? param : [param];
    return items.map((item) => `$${values.push(item)}`).join(', ');
  });
  return { text, values };
}
