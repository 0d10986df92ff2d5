import type { Fonts } from './fonts.js';
import { cleanLine, type Run, toRuns } from './text-runs.js';

export interface TextStyle {
  readonly weight: keyof Fonts;
  readonly size: number;
  readonly color: string;
}

/** A line of text that fits its place. */
export interface Line {
  readonly runs: readonly MeasuredRun[];
  readonly style: TextStyle;
  readonly width: number;
}

export interface MeasuredRun extends Run {
  readonly width: number;
}

/** How wide a face writes something, in points. */
export type MeasureRun = (run: Run, size: number) => number;

/** Breaks texts into lines. */
export class TextLayout {
  readonly #fonts: Fonts;
  readonly #measure: MeasureRun;
  /** Of words, which recur: in Chinese every character is one. */
  readonly #widths = new Map<TextStyle, Map<string, number>>();

  constructor(fonts: Fonts, measure: MeasureRun) {
    this.#fonts = fonts;
    this.#measure = measure;
  }

  /** One line, however wide. */
  line(text: string, style: TextStyle): Line {
    const runs = toRuns(cleanLine(text), this.#fonts[style.weight]).map((run) => ({
      ...run,
      width: this.#measure(run, style.size),
    }));
    return { runs, style, width: runs.reduce((sum, { width }) => sum + width, 0) };
  }

  /** As many lines as the text needs in this width. Its own line breaks are kept; an empty text has no line. */
  lines(text: string, style: TextStyle, width: number): Line[] {
    if (text === '') return [];
    return text.split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/u).flatMap((paragraph) => this.#wrap(paragraph, style, width));
  }

  #wrap(paragraph: string, style: TextStyle, width: number): Line[] {
    const lines: string[] = [];
    let current = '';
    let used = 0;
    for (const word of this.#words(cleanLine(paragraph), style, width)) {
      if (current !== '' && used + this.#widthOf(word.trimEnd(), style) > width) {
        lines.push(current);
        current = '';
        used = 0;
      }
      current += word;
      used += this.#widthOf(word, style);
    }
    return [...lines, current].map((line) => this.line(line.trim(), style));
  }

  /** What must not be broken, with the spaces behind it. A word that is wider than a line is broken all the same. */
  *#words(line: string, style: TextStyle, width: number): Generator<string> {
    for (const [word] of line.matchAll(BREAKABLE)) {
      if (this.#widthOf(word.trimEnd(), style) <= width) yield word;
      else yield* this.#pieces(word, style, width);
    }
  }

  *#pieces(word: string, style: TextStyle, width: number): Generator<string> {
    const characters = Array.from(graphemes.segment(word), ({ segment }) => segment);
    const text = (start: number, count: number) => characters.slice(start, start + count).join('');
    for (let start = 0; start < characters.length; ) {
      const most = Math.min(characters.length - start, MOST_CHARACTERS);
      const count = longestFitting(most, (tried) => this.#widthOf(text(start, tried), style) <= width);
      yield text(start, count);
      start += count;
    }
  }

  #widthOf(word: string, style: TextStyle): number {
    const known = this.#widths.get(style) ?? new Map<string, number>();
    this.#widths.set(style, known);
    const width = known.get(word) ?? this.line(word, style).width;
    known.set(word, width);
    return width;
  }
}

/** More than the narrowest letters that a page is wide. */
const MOST_CHARACTERS = 300;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * Where a line may end: after spaces and hyphens, and between characters of scripts that are written without spaces,
 * whose closing punctuation stays with what it closes.
 */
const BREAKABLE =
  /(?:[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}][。、，．！？：；）」』】》ー]*|[^\s\-\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]+-*|-+)\s*|\s+/gu;

/** At least one, even in a place that is too narrow for it. */
function longestFitting(most: number, fits: (count: number) => boolean): number {
  let [low, high] = [1, most];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
