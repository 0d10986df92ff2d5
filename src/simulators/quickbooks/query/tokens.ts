import { queryNotParsed } from '../faults.js';

export interface Token {
  readonly kind: 'word' | 'string' | 'number' | 'symbol' | 'end';
  /** Strings without quotes and escapes. */
  readonly text: string;
  /** 1-based, for error messages. */
  readonly column: number;
}

const WORD = /[A-Za-z_][A-Za-z0-9_.]*/y;
const NUMBER = /-?\d+(\.\d+)?/y;
const SYMBOL = /<=|>=|[=<>(),*]/y;
const STRING = /'((?:[^'\\]|\\.)*)'/sy;
const SPACE = /\s+/y;

/** Splits a statement. Inside a literal a backslash escapes; a doubled quote simply ends one literal and starts another. */
export function tokenize(statement: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position;
    return pattern.exec(statement);
  };
  while (position < statement.length) {
    const space = take(SPACE);
    if (space !== null) {
      position += space[0].length;
      continue;
    }
    const token = nextToken(take, position + 1);
    if (token === undefined) throw lexicalError(statement, position);
    tokens.push(token.token);
    position += token.length;
  }
  return [...tokens, { kind: 'end', text: '<EOF>', column: position + 1 }];
}

function nextToken(
  take: (pattern: RegExp) => RegExpExecArray | null,
  column: number,
): { token: Token; length: number } | undefined {
  const literal = take(STRING);
  if (literal !== null) {
    const text = (literal[1] ?? '').replace(/\\(.)/gs, '$1');
    return { token: { kind: 'string', text, column }, length: literal[0].length };
  }
  for (const [kind, pattern] of [['word', WORD] as const, ['number', NUMBER] as const, ['symbol', SYMBOL] as const]) {
    const match = take(pattern);
    if (match !== null) return { token: { kind, text: match[0], column }, length: match[0].length };
  }
  return undefined;
}

function lexicalError(statement: string, position: number): Error {
  const character = statement.charAt(position);
  return queryNotParsed(
    `Invalid content. Lexical error at line 1, column ${position + 1}.  ` +
      `Encountered: "${character}" (${character.codePointAt(0)}), after : ""`,
  );
}
