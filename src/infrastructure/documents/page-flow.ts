/** Something that stands on a page as a whole. */
export interface Block {
  readonly height: number;
  /** Draws it below `y`. */
  readonly draw: (y: number) => void;
  /** Is not the last on a page, such as a heading. */
  readonly staysWithNext?: boolean;
  /** What is repeated above it when it is the first on a page. */
  readonly header?: Block;
}

export interface PlacedBlock {
  readonly block: Block;
  readonly y: number;
}

/** Distributes blocks over pages whose content lies between `top` and `bottom`; there is at least one page. */
export function placeOnPages(
  blocks: readonly Block[],
  { top, bottom }: { top: number; bottom: number },
): PlacedBlock[][] {
  const pages: PlacedBlock[][] = [[]];
  let y = top;
  for (const [index, block] of blocks.entries()) {
    if (y > top && y + heightTogether(blocks, index) > bottom) {
      pages.push([]);
      y = top;
    }
    const isFirst = y === top;
    for (const placed of isFirst && block.header ? [block.header, block] : [block]) {
      pages.at(-1)?.push({ block: placed, y });
      y += placed.height;
    }
  }
  return pages;
}

/** Of a block and those that must follow it at once. */
function heightTogether(blocks: readonly Block[], index: number): number {
  const end = blocks.findIndex((block, at) => at >= index && !block.staysWithNext);
  return blocks.slice(index, end < 0 ? undefined : end + 1).reduce((sum, block) => sum + block.height, 0);
}
