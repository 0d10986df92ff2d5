import type { FontFace } from './fonts.js';

/** A piece of a line that one face writes in one direction. */
export interface Run {
  readonly text: string;
  readonly face: FontFace;
  readonly isRightToLeft: boolean;
}

/** Stands for what no face can write. */
const REPLACEMENT = '\ufffd';

const PLAIN = /^[ -~]*$/;
const SPACE = /[\t\p{Z}]/gu;
/** Characters that only steer: control and format characters, but not the joiners that Arabic and Persian need. */
const STEERING = /[[\p{Cc}\p{Cf}\p{Variation_Selector}]--[\u200c\u200d]]/gv;

/** More of them on a letter would reach into other lines. */
const PILED_MARKS = /(\p{M}{3})\p{M}+/gu;

/** One line of text as it can be written: composed, without what steers, every kind of space being one. */
export function cleanLine(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.toWellFormed().normalize('NFC').replace(SPACE, ' ').replace(STEERING, '').replace(PILED_MARKS, '$1');
}

/** The runs of a clean line in the order in which they stand on paper, from left to right. */
export function toRuns(line: string, faces: readonly FontFace[]): Run[] {
  const [main] = faces;
  if (!main || line === '') return [];
  if (PLAIN.test(line)) return [{ text: line, face: main, isRightToLeft: false }];
  return visualOrder(joinEqual(withLevels(toPieces(line, faces, main))));
}

interface Piece {
  readonly text: string;
  readonly face: FontFace;
  readonly kind: Kind;
}

/** Digits that run from left to right, although the font engine takes them for Arabic and turns them round. */
const ARABIC_DIGIT = /^[\u0660-\u0669\u06f0-\u06f9]/;

/** Of the bidirectional algorithm (UAX #9), what a name or a description needs; there are no embeddings. */
type Kind = 'left' | 'right' | 'number' | 'separator' | 'neutral';

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

function toPieces(line: string, faces: readonly FontFace[], main: FontFace): Piece[] {
  return Array.from(graphemes.segment(line), ({ segment }) => ({
    ...writable(segment, faces, main),
    kind: kindOf(segment),
  }));
}

/** A character with its marks in the first face that has all of it, else without the marks, else the replacement. */
function writable(grapheme: string, faces: readonly FontFace[], main: FontFace): { text: string; face: FontFace } {
  const has = (face: FontFace, text: string) =>
    [...text].every((char) => face.codePoints.has(char.codePointAt(0) ?? 0));
  const whole = faces.find((face) => has(face, grapheme));
  if (whole) return { text: grapheme, face: whole };
  const [base = ''] = grapheme;
  const bare = faces.find((face) => has(face, base));
  return bare ? { text: base, face: bare } : { text: REPLACEMENT, face: main };
}

const RIGHT = /^[[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]&&\p{L}]/v;

function kindOf(grapheme: string): Kind {
  if (RIGHT.test(grapheme)) return 'right';
  if (/^\p{Nd}/u.test(grapheme)) return 'number';
  if (/^[.,:/]$/.test(grapheme)) return 'separator';
  return /^[\p{L}\p{So}]/u.test(grapheme) ? 'left' : 'neutral';
}

interface Leveled extends Piece {
  /** Odd: from right to left. */
  readonly level: number;
}

/** The first letter decides how the line runs; numbers in text from right to left run from left to right inside it. */
function withLevels(pieces: readonly Piece[]): Leveled[] {
  const base = pieces.find(({ kind }) => kind === 'left' || kind === 'right')?.kind === 'right' ? 1 : 0;
  const strong = strongLevels(pieces, base);
  const before = carried(strong);
  const after = carried(strong.toReversed()).toReversed();
  return pieces.map((piece, index) => ({ ...piece, level: between(before[index], after[index], base) }));
}

/** The levels of letters and numbers; undefined for what stands between. */
function strongLevels(pieces: readonly Piece[], base: number): (number | undefined)[] {
  let context = base;
  return pieces.map(({ kind }, index) => {
    if (kind === 'right') context = 1;
    if (kind === 'left') context = base === 1 ? 2 : 0;
    const isNumber = kind === 'number' || (kind === 'separator' && isInNumber(pieces, index));
    if (isNumber) return context === 1 ? 2 : context;
    return kind === 'right' || kind === 'left' ? context : undefined;
  });
}

function isInNumber(pieces: readonly Piece[], index: number): boolean {
  return pieces[index - 1]?.kind === 'number' && pieces[index + 1]?.kind === 'number';
}

/** Each value, or the latest one before it. */
function carried(levels: readonly (number | undefined)[]): (number | undefined)[] {
  let latest: number | undefined;
  return levels.map((level) => {
    latest = level ?? latest;
    return latest;
  });
}

/** Between two of the same direction the same, else as the line runs. A number counts as the text around it. */
function between(before: number | undefined, after: number | undefined, base: number): number {
  if (before === after && before !== undefined) return before;
  const isRight = (level: number | undefined) => level !== undefined && level > 0;
  return base === 0 && isRight(before) && isRight(after) ? 1 : base;
}

function isTurned({ text }: Piece): boolean {
  return ARABIC_DIGIT.test(text);
}

function joinEqual(pieces: readonly Leveled[]): Leveled[] {
  const joined: Leveled[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    const continues =
      last && last.level === piece.level && last.face === piece.face && isTurned(last) === isTurned(piece);
    if (continues) joined[joined.length - 1] = { ...last, text: last.text + piece.text };
    else joined.push(piece);
  }
  return joined;
}

/** Rule L2: from the highest level down to the first odd one, every stretch of that level or above is turned round. */
function visualOrder(pieces: readonly Leveled[]): Run[] {
  const order = [...pieces];
  for (let level = Math.max(...order.map((piece) => piece.level)); level >= 1; level--) turnRound(order, level);
  return order.map((piece) => {
    const { text, face, level } = piece;
    if (level === 1) return { text: mirrorBrackets(text), face, isRightToLeft: true };
    return { text: isTurned(piece) ? [...text].reverse().join('') : text, face, isRightToLeft: false };
  });
}

function turnRound(pieces: Leveled[], level: number): void {
  for (let start = 0; start < pieces.length; start++) {
    let end = start;
    while ((pieces[end]?.level ?? 0) >= level) end++;
    pieces.splice(start, end - start, ...pieces.slice(start, end).reverse());
    start = end;
  }
}

const MIRRORED = new Map(
  ['()', '[]', '{}', '<>', '«»'].flatMap(([left = '', right = '']) => [
    [left, right],
    [right, left],
  ]),
);

function mirrorBrackets(text: string): string {
  return text.replace(/[()[\]{}<>«»]/g, (bracket) => MIRRORED.get(bracket) ?? bracket);
}
