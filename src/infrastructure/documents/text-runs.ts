import createBidi from 'bidi-js';
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
  const levels = bidi.getEmbeddingLevels(line);
  const pieces = joinEqual(toPieces(line, levels, { faces, main }));
  return visualOrder(pieces, bidi.getReorderedIndices(line, levels)).map(toRun);
}

// The package's types are those of an ES module, but what Node loads of it is the function itself.
const bidi = (createBidi as unknown as typeof createBidi.default)();

interface Piece {
  readonly text: string;
  readonly face: FontFace;
  /** Where it begins in the line. */
  readonly start: number;
  /** Of the bidirectional algorithm (UAX #9). Odd: from right to left. */
  readonly level: number;
}

/** Digits that run from left to right, although the font engine takes them for Arabic and turns them round. */
const ARABIC_DIGIT = /^[\u0660-\u0669\u06f0-\u06f9]/;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

interface Faces {
  readonly faces: readonly FontFace[];
  readonly main: FontFace;
}

function toPieces(line: string, { levels }: createBidi.EmbeddingLevels, faces: Faces): Piece[] {
  return Array.from(graphemes.segment(line), ({ segment, index }) => ({
    ...writable(segment, faces),
    start: index,
    level: levels[index] ?? 0,
  }));
}

/** A character with its marks in the first face that has all of it, else without the marks, else the replacement. */
function writable(grapheme: string, { faces, main }: Faces): { text: string; face: FontFace } {
  const has = (face: FontFace, text: string) =>
    [...text].every((char) => face.codePoints.has(char.codePointAt(0) ?? 0));
  const whole = faces.find((face) => has(face, grapheme));
  if (whole) return { text: grapheme, face: whole };
  const [base = ''] = grapheme;
  const bare = faces.find((face) => has(face, base));
  return bare ? { text: base, face: bare } : { text: REPLACEMENT, face: main };
}

function isTurned({ text }: Piece): boolean {
  return ARABIC_DIGIT.test(text);
}

function joinEqual(pieces: readonly Piece[]): Piece[] {
  const joined: Piece[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    const continues =
      last && last.level === piece.level && last.face === piece.face && isTurned(last) === isTurned(piece);
    if (continues) joined[joined.length - 1] = { ...last, text: last.text + piece.text };
    else joined.push(piece);
  }
  return joined;
}

/** A piece stands on paper where its first character does: no other comes between its characters. */
function visualOrder(pieces: readonly Piece[], indices: readonly number[]): Piece[] {
  const places = new Map(indices.map((index, place) => [index, place]));
  return pieces.toSorted((a, b) => (places.get(a.start) ?? 0) - (places.get(b.start) ?? 0));
}

function toRun(piece: Piece): Run {
  const { text, face, level } = piece;
  if (level % 2 === 1) return { text: mirrorBrackets(text), face, isRightToLeft: true };
  return { text: isTurned(piece) ? [...text].reverse().join('') : text, face, isRightToLeft: false };
}

function mirrorBrackets(text: string): string {
  return Array.from(text, (character) => bidi.getMirroredCharacter(character) ?? character).join('');
}
