import { z } from 'zod';
import { queryNotParsed, queryNotValid } from '../faults.js';
import { type Token, tokenize } from './tokens.js';

export type Comparison = '=' | '<' | '>' | '<=' | '>=';
export type Condition =
  | { readonly field: string; readonly operator: Comparison | 'LIKE'; readonly value: string }
  | { readonly field: string; readonly operator: 'IN'; readonly values: readonly string[] };

export interface Statement {
  readonly columns: { readonly kind: 'all' | 'count' } | { readonly kind: 'fields'; readonly names: readonly string[] };
  readonly entity: string;
  readonly conditions: readonly Condition[];
  readonly orderBy: readonly { readonly field: string; readonly descending: boolean }[];
  readonly startPosition: number;
  readonly maxResults: number;
}

const MAX_ROWS = 1000;
const DEFAULT_ROWS = 100;
const comparisons = new Set(['=', '<', '>', '<=', '>=']);

/** The provider's query language: one entity, conditions joined by AND only, no OR, no joins, no arithmetic. */
export function parseQuery(text: string): Statement {
  return new StatementReader(tokenize(text)).read();
}

class StatementReader {
  private position = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  read(): Statement {
    this.expect('SELECT');
    const columns = this.columns();
    this.expect('FROM');
    const entity = this.word();
    const conditions = this.accept('WHERE') ? this.list(() => this.condition(), 'AND') : [];
    const orderBy = this.acceptOrderBy() ? this.list(() => this.ordering(), ',') : [];
    const page = this.page();
    if (this.current.kind !== 'end') throw this.unexpected();
    return { columns, entity, conditions, orderBy, ...page };
  }

  private columns(): Statement['columns'] {
    if (this.accept('*')) return { kind: 'all' };
    if (this.isWord('COUNT') && this.tokens[this.position + 1]?.text === '(') {
      for (const part of ['COUNT', '(', '*', ')']) this.expect(part);
      return { kind: 'count' };
    }
    return { kind: 'fields', names: this.list(() => this.word(), ',') };
  }

  private condition(): Condition {
    const field = this.word();
    if (this.accept('IN')) {
      this.expect('(');
      const values = this.list(() => this.value(), ',');
      this.expect(')');
      return { field, operator: 'IN', values };
    }
    if (this.accept('LIKE')) return { field, operator: 'LIKE', value: this.value() };
    const operator = this.current.text;
    if (this.current.kind !== 'symbol' || !comparisons.has(operator)) throw this.unexpected();
    this.position += 1;
    return { field, operator: operator as Comparison, value: this.value() };
  }

  private value(): string {
    const { kind, text } = this.current;
    const bare = kind === 'word' && /^(true|false)$/i.test(text);
    if (kind !== 'string' && kind !== 'number' && !bare) throw this.unexpected();
    this.position += 1;
    return text;
  }

  /** Both `ORDERBY` and `ORDER BY` are accepted. */
  private acceptOrderBy(): boolean {
    if (this.accept('ORDERBY')) return true;
    if (!this.accept('ORDER')) return false;
    this.expect('BY');
    return true;
  }

  private ordering(): { field: string; descending: boolean } {
    const field = this.word();
    if (this.accept('DESC')) return { field, descending: true };
    this.accept('ASC');
    return { field, descending: false };
  }

  private page(): { startPosition: number; maxResults: number } {
    const page = { startPosition: 1, maxResults: DEFAULT_ROWS };
    for (;;) {
      if (this.accept('STARTPOSITION')) page.startPosition = this.counter(1);
      else if (this.accept('MAXRESULTS')) page.maxResults = this.counter(0);
      else break;
    }
    if (page.maxResults > MAX_ROWS) {
      throw queryNotValid(`value ${page.maxResults} is too large. Max allowed value is ${MAX_ROWS}`);
    }
    return page;
  }

  private counter(smallest: number): number {
    const { kind, text } = this.current;
    if (kind !== 'number' || !/^-?\d{1,9}$/.test(text)) throw this.unexpected();
    this.position += 1;
    const value = z.coerce.number().int().parse(text);
    if (value < smallest) throw queryNotValid(`value ${text} is too small. Min allowed value is ${smallest}`);
    return value;
  }

  private list<T>(read: () => T, separator: string): T[] {
    const items = [read()];
    while (this.accept(separator)) items.push(read());
    return items;
  }

  private word(): string {
    const { kind, text } = this.current;
    if (kind !== 'word') throw this.unexpected();
    this.position += 1;
    return text;
  }

  private get current(): Token {
    const token = this.tokens[this.position];
    if (token === undefined) throw new Error('read past the end of the statement');
    return token;
  }

  private isWord(text: string): boolean {
    return this.current.kind !== 'string' && this.current.text.toUpperCase() === text;
  }

  private accept(text: string): boolean {
    if (!this.isWord(text)) return false;
    this.position += 1;
    return true;
  }

  private expect(text: string): void {
    if (!this.accept(text)) throw this.unexpected();
  }

  private unexpected(): Error {
    const { kind, text, column } = this.current;
    const shown = kind === 'end' ? '<EOF>' : ` <${kind === 'word' ? 'IDENTIFIER' : kind.toUpperCase()}> "${text} "`;
    return queryNotParsed(`Encountered "${shown}" at line 1, column ${column}.\nWas expecting one of:\n    <EOF> ...`);
  }
}
