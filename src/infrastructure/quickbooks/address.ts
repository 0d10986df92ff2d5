import { cut, multiLine, singleLine } from '../text.js';

const MAX_LINES = 5;
const MAX_LINE_LENGTH = 500;
const MAX_TOTAL_LENGTH = 2000;

/** QuickBooks' physical address, in the free form that it prints line by line. */
export interface FreeFormAddress {
  readonly Line1: string;
  readonly Line2?: string;
  readonly Line3?: string;
  readonly Line4?: string;
  readonly Line5?: string;
}

/**
 * An address as people wrote it. City, state and postal code stay where they are: telling them apart would be guessing,
 * and an invoice prints the lines as given. Undefined when there is nothing to print.
 */
export function freeFormAddress(text: string): FreeFormAddress | undefined {
  const lines = multiLine(text).split('\n').map(singleLine).filter(Boolean);
  const [Line1, Line2, Line3, Line4, Line5] = limitTotal(arrange(lines));
  if (!Line1) return undefined;
  return { Line1, ...(Line2 && { Line2 }), ...(Line3 && { Line3 }), ...(Line4 && { Line4 }), ...(Line5 && { Line5 }) };
}

/** Lines beyond the fifth are joined into it. When that one gets too long, all of the text flows through the lines. */
function arrange(lines: readonly string[]): string[] {
  const last = lines.slice(MAX_LINES - 1).join(', ');
  const joined = [...lines.slice(0, MAX_LINES - 1), last].filter(Boolean);
  if (joined.every((line) => line.length <= MAX_LINE_LENGTH)) return joined;
  return wrap(lines.join(', ')).slice(0, MAX_LINES);
}

/** Breaks an overlong line, at a space when there is one. */
function wrap(line: string): string[] {
  if (line.length <= MAX_LINE_LENGTH) return [line];
  const space = line.lastIndexOf(' ', MAX_LINE_LENGTH);
  const head = cut(line, space > 0 ? space : MAX_LINE_LENGTH);
  return [head, ...wrap(line.slice(head.length).trimStart())];
}

function limitTotal(lines: readonly string[]): string[] {
  let left = MAX_TOTAL_LENGTH;
  return lines.map((line) => {
    const kept = cut(line, Math.min(left, MAX_LINE_LENGTH));
    left -= kept.length;
    return kept;
  });
}
