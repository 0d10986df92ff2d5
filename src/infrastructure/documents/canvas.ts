import PDFDocument from 'pdfkit';
import type { Fonts } from './fonts.js';
import { type Line, TextLayout } from './text-layout.js';
import type { Run } from './text-runs.js';

/** A4 in points, with margins. Content ends above the footer. */
export const PAGE = { left: 48, right: 547, top: 48, bottom: 772, footer: 792, width: 499 } as const;

/** Room for a line in relation to the size of its letters; enough for Chinese and for two marks on a letter. */
const LINE_HEIGHT = 1.4;
/** Where the letters stand in that room. */
export const BASELINE = 1.05;

export function heightOf(lines: readonly Line[]): number {
  return lines.reduce((height, { style }) => height + style.size * LINE_HEIGHT, 0);
}

/** The paper: pdfkit with our fonts, addressed by places. */
export class Canvas {
  readonly pdf: PDFKit.PDFDocument;
  readonly layout: TextLayout;

  constructor(fonts: Fonts, info: PDFKit.DocumentInfo) {
    this.pdf = new PDFDocument({
      size: 'A4',
      // Everything has its place: pdfkit must not begin a page by itself.
      margin: 0,
      autoFirstPage: false,
      // Its own fonts know Latin letters only.
      font: '',
      pdfVersion: '1.7',
      lang: 'en',
      displayTitle: true,
      info,
    });
    for (const { name, data } of new Set([...fonts.regular, ...fonts.bold])) this.pdf.registerFont(name, data);
    this.layout = new TextLayout(fonts, (run, size) => this.#use(run, size).widthOfString(run.text, optionsOf(run)));
  }

  /** Draws lines below each other. Those of the right end at `x`. */
  text(lines: readonly Line[], x: number, y: number, align: 'left' | 'right' = 'left'): void {
    let top = y;
    for (const line of lines) {
      this.#draw(line, align === 'left' ? x : x - line.width, top + line.style.size * BASELINE);
      top += line.style.size * LINE_HEIGHT;
    }
  }

  #draw({ runs, style }: Line, x: number, baseline: number): void {
    let at = x;
    for (const run of runs) {
      const options = { ...optionsOf(run), lineBreak: false, baseline: 'alphabetic' } as const;
      this.#use(run, style.size).fillColor(style.color).text(run.text, at, baseline, options);
      at += run.width;
    }
  }

  rule(y: number, color: string, from: number = PAGE.left, to: number = PAGE.right): void {
    this.pdf.moveTo(from, y).lineTo(to, y).lineWidth(0.5).strokeColor(color).stroke();
  }

  band(y: number, height: number, color: string): void {
    this.pdf.rect(PAGE.left, y, PAGE.width, height).fill(color);
  }

  /** Large and pale across the page; drawn first, so that everything else stands above it. */
  watermark(line: Line): void {
    const [middleX, middleY] = [595 / 2, 842 / 2];
    this.pdf.save().rotate(-45, { origin: [middleX, middleY] });
    this.text([line], middleX - line.width / 2, middleY - line.style.size / 2);
    this.pdf.restore();
  }

  #use(run: Run, size: number): PDFKit.PDFDocument {
    return this.pdf.font(run.face.name, size);
  }
}

/** With a list of features, even an empty one, pdfkit lays out a run as a whole and not word by word from the left. */
function optionsOf({ isRightToLeft }: Run): { features?: PDFKit.Mixins.OpenTypeFeatures[] } {
  return isRightToLeft ? { features: [] } : {};
}
