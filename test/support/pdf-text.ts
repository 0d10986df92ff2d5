import { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs';

/** What a reader sees of a PDF: the text of each page, line by line from top to bottom. */
export async function readPdf(bytes: Uint8Array): Promise<string[][]> {
  const task = getDocument({ data: new Uint8Array(bytes), verbosity: 0 });
  const pdf = await task.promise;
  const pages: string[][] = [];
  for (let number = 1; number <= pdf.numPages; number++) {
    const { items } = await (await pdf.getPage(number)).getTextContent();
    pages.push(toLines(items.filter((item) => 'str' in item)));
  }
  await task.destroy();
  return pages;
}

interface TextItem {
  readonly str: string;
  readonly transform: readonly number[];
}

/** What stands on one baseline, from left to right. */
function toLines(items: readonly TextItem[]): string[] {
  const visible = items.filter(({ str }) => str.trim() !== '');
  const byBaseline = Map.groupBy(visible, ({ transform }) => Math.round(transform[5] ?? 0));
  return [...byBaseline]
    .toSorted(([above], [below]) => below - above)
    .map(([, line]) =>
      line
        .toSorted((left, right) => (left.transform[4] ?? 0) - (right.transform[4] ?? 0))
        .map(({ str }) => str.trim())
        .join(' '),
    );
}
