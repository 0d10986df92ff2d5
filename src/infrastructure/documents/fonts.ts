import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { create } from 'fontkit';
import { unpackWoff } from './woff.js';

/** A font file and what it can write. */
export interface FontFace {
  readonly name: string;
  readonly data: Buffer;
  readonly codePoints: ReadonlySet<number>;
}

/** The faces of each weight, in the order in which they are tried. Chinese, Japanese and Korean have one weight. */
export interface Fonts {
  readonly regular: readonly FontFace[];
  readonly bold: readonly FontFace[];
}

/** About 8 MB altogether, so they are read once for all documents. */
export async function loadFonts(): Promise<Fonts> {
  const [sans, bold, chinese, korean] = await Promise.all([
    loadFace('sans', 'dejavu-fonts-ttf/ttf/DejaVuSans.ttf'),
    loadFace('bold', 'dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf'),
    loadFace('chinese', '@fontsource/noto-sans-sc/files/noto-sans-sc-chinese-simplified-400-normal.woff'),
    loadFace('korean', '@fontsource/noto-sans-kr/files/noto-sans-kr-korean-400-normal.woff'),
  ]);
  return { regular: [sans, chinese, korean], bold: [bold, sans, chinese, korean] };
}

const { resolve } = createRequire(import.meta.url);

async function loadFace(name: string, path: string): Promise<FontFace> {
  const file = await readFile(resolve(path));
  const data = path.endsWith('.woff') ? await unpackWoff(file) : file;
  return { name, data, codePoints: new Set(create(data).characterSet) };
}
