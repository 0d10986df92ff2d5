import { type Canvas, heightOf, PAGE } from './canvas.js';
import type { Pacer } from './pacer.js';
import type { Block } from './page-flow.js';
import { COLORS, STYLES } from './styles.js';
import type { Line, TextStyle } from './text-layout.js';

/** A column of texts; what remains of the page's width goes to the one that `grows`. */
export interface Column<Row> {
  readonly title: string;
  readonly align: 'left' | 'right';
  readonly textOf: (row: Row) => string;
  readonly grows?: boolean;
}

interface PlacedColumn<Row> extends Column<Row> {
  readonly left: number;
  readonly width: number;
}

/** Between columns, and from the edge of the table. */
const GAP = 12;
const EDGE = 6;
const PADDING = 3;

/** The rows under a header, which is repeated on every page. `isPale` says which rows no longer count. */
export async function tableBlocks<Row>(
  canvas: Canvas,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { pacer, isPale = () => false }: { readonly pacer: Pacer; readonly isPale?: (row: Row) => boolean },
): Promise<Block[]> {
  const placed = place(columns, await naturalWidths(canvas, columns, rows, pacer));
  const header = headerBlock(canvas, placed);
  const blocks: Block[] = [header];
  for (const row of rows) {
    const style = isPale(row) ? STYLES.pale : STYLES.text;
    blocks.push({ ...rowBlock(canvas, placed, row, style), header });
    await pacer.step();
  }
  return blocks;
}

async function naturalWidths<Row>(
  { layout }: Canvas,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  pacer: Pacer,
): Promise<number[]> {
  const widths = columns.map(({ title }) => layout.line(title, STYLES.heading).width);
  for (const row of rows) {
    for (const [index, { textOf, grows }] of columns.entries()) {
      if (!grows) widths[index] = Math.max(widths[index] ?? 0, layout.line(textOf(row), STYLES.text).width);
    }
    await pacer.step();
  }
  return widths;
}

function place<Row>(columns: readonly Column<Row>[], natural: readonly number[]): PlacedColumn<Row>[] {
  const fixed = columns.reduce((sum, { grows }, index) => sum + (grows ? 0 : (natural[index] ?? 0)), 0);
  const rest = PAGE.width - 2 * EDGE - fixed - GAP * (columns.length - 1);
  let left = PAGE.left + EDGE;
  return columns.map((column, index) => {
    const width = column.grows ? rest : (natural[index] ?? 0);
    const placed = { ...column, left, width };
    left += width + GAP;
    return placed;
  });
}

function headerBlock<Row>(canvas: Canvas, columns: readonly PlacedColumn<Row>[]): Block {
  const cells = columns.map(({ title }) => [canvas.layout.line(title, STYLES.heading)]);
  const height = heightOf(cells[0] ?? []) + 2 * PADDING;
  const draw = (y: number) => {
    canvas.band(y, height, COLORS.band);
    drawCells(canvas, columns, cells, y + PADDING);
  };
  return { height, draw, staysWithNext: true };
}

function rowBlock<Row>(canvas: Canvas, columns: readonly PlacedColumn<Row>[], row: Row, style: TextStyle): Block {
  const cells = columns.map(({ textOf, width, grows }) =>
    grows ? canvas.layout.lines(textOf(row), style, width) : [canvas.layout.line(textOf(row), style)],
  );
  const height = Math.max(...cells.map(heightOf)) + 2 * PADDING;
  const draw = (y: number) => {
    drawCells(canvas, columns, cells, y + PADDING);
    canvas.rule(y + height, COLORS.rule);
  };
  return { height, draw };
}

function drawCells<Row>(
  canvas: Canvas,
  columns: readonly PlacedColumn<Row>[],
  cells: readonly Line[][],
  y: number,
): void {
  for (const [index, { align, left, width }] of columns.entries()) {
    canvas.text(cells[index] ?? [], align === 'left' ? left : left + width, y, align);
  }
}
