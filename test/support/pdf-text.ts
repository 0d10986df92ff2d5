import { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs';

/** A piece of text on a page; places are in points from the lower left corner. */
export interface PlacedText {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly baseline: number;
}

/** What a reader sees of a PDF: the text of each page, line by line from top to bottom. */
export async function readPdf(bytes: Uint8Array): Promise<string[][]> {
  const pages = await readPlacedLines(bytes);
  return pages.map((lines) => lines.map((line) => line.map(({ text }) => text.trim()).join(' ')));
}

/** For each page its lines from top to bottom, each with its pieces from left to right. */
export async function readPlacedLines(bytes: Uint8Array): Promise<PlacedText[][][]> {
  const task = getDocument({ data: new Uint8Array(bytes), verbosity: 0 });
  const pdf = await task.promise;
  const pages: PlacedText[][][] = [];
  for (let number = 1; number <= pdf.numPages; number++) {
    const { items } = await (await pdf.getPage(number)).getTextContent();
    pages.push(toLines(items.filter((item) => 'str' in item).map(place)));
  }
  await task.destroy();
  return pages;
}

interface TextItem {
  readonly str: string;
  readonly width: number;
  readonly transform: readonly number[];
}

function place({ str, width, transform }: TextItem): PlacedText {
  const [left = 0, baseline = 0] = transform.slice(4);
  return { text: str, left, right: left + width, baseline };
}

function toLines(pieces: readonly PlacedText[]): PlacedText[][] {
  const visible = pieces.filter(({ text }) => text.trim() !== '');
  return [...Map.groupBy(visible, ({ baseline }) => Math.round(baseline))]
    .toSorted(([above], [below]) => below - above)
    .map(([, line]) => line.toSorted((one, other) => one.left - other.left));
}
