import { promisify } from 'node:util';
import { inflate } from 'node:zlib';

/** Sizes of the headers and directory entries of https://www.w3.org/TR/WOFF/ and of the OpenType file that is inside. */
const WOFF_HEADER = 44;
const WOFF_ENTRY = 20;
const FONT_HEADER = 12;
const FONT_ENTRY = 16;

/**
 * The OpenType font in a WOFF file. fontkit reads WOFF as well, but unpacks the outlines anew for every glyph, which
 * makes a line of Chinese take a second.
 */
export async function unpackWoff(woff: Buffer): Promise<Buffer> {
  const flavor = woff.readUInt32BE(4);
  const tables = await Promise.all(readDirectory(woff).map((entry) => unpackTable(woff, entry)));
  const directory = Buffer.alloc(FONT_HEADER + tables.length * FONT_ENTRY);
  writeHeader(directory, flavor, tables.length);
  let offset = directory.length;
  for (const [index, { tag, checksum, length, padded }] of tables.entries()) {
    const at = FONT_HEADER + index * FONT_ENTRY;
    directory.write(tag, at, 'latin1');
    directory.writeUInt32BE(checksum, at + 4);
    directory.writeUInt32BE(offset, at + 8);
    directory.writeUInt32BE(length, at + 12);
    offset += padded.length;
  }
  return Buffer.concat([directory, ...tables.map(({ padded }) => padded)]);
}

interface WoffEntry {
  readonly tag: string;
  readonly offset: number;
  readonly packedLength: number;
  readonly length: number;
  readonly checksum: number;
}

function readDirectory(woff: Buffer): WoffEntry[] {
  return Array.from({ length: woff.readUInt16BE(12) }, (_, index) => {
    const at = WOFF_HEADER + index * WOFF_ENTRY;
    const [offset = 0, packedLength = 0, length = 0, checksum = 0] = [4, 8, 12, 16].map((field) =>
      woff.readUInt32BE(at + field),
    );
    return { tag: woff.toString('latin1', at, at + 4), offset, packedLength, length, checksum };
  });
}

/** Tables begin at multiples of four bytes. One that packing would not have made smaller is stored as it is. */
async function unpackTable(woff: Buffer, { tag, offset, packedLength, length, checksum }: WoffEntry) {
  const stored = woff.subarray(offset, offset + packedLength);
  const table = packedLength < length ? await promisify(inflate)(stored) : stored;
  return { tag, checksum, length, padded: Buffer.concat([table], Math.ceil(length / 4) * 4) };
}

function writeHeader(directory: Buffer, flavor: number, tableCount: number): void {
  const largestPower = Math.floor(Math.log2(tableCount));
  const searchRange = 2 ** largestPower * FONT_ENTRY;
  directory.writeUInt32BE(flavor, 0);
  directory.writeUInt16BE(tableCount, 4);
  directory.writeUInt16BE(searchRange, 6);
  directory.writeUInt16BE(largestPower, 8);
  directory.writeUInt16BE(tableCount * FONT_ENTRY - searchRange, 10);
}
