import { randomInt } from 'node:crypto';
import { v7 } from 'uuid';

/** The prefix tells what an id names, as in `po_0199…`: people can read it and `node(id)` needs no lookup table. */
export type IdPrefix =
  | 'conf'
  | 'po'
  | 'line'
  | 'pay'
  | 'rev'
  | 'cn'
  | 'crev'
  | 'ppay'
  | 'inv'
  | 'qbo'
  | 'cust'
  | 'op'
  | 'evt'
  | 'aud'
  | 'key'
  | 'idem'
  | 'str'
  | 'scus'
  | 'bulk'
  | 'bitem';

/** Where new ids come from, so that tests can foresee them. */
export interface IdSource {
  /** A new id, e.g. `po_0199…` (prefix, underscore, 32 hexadecimal digits of a time-ordered UUIDv7). */
  next(prefix: IdPrefix): string;
  /** A new human reference for a purchase order, e.g. `PO-7K2M9Q`. Not reserved: the database decides on uniqueness. */
  nextReference(): string;
}

const REFERENCE_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

export const randomIds: IdSource = {
  next: (prefix) => `${prefix}_${v7().replaceAll('-', '')}`,
  nextReference: () =>
    `PO-${Array.from({ length: 6 }, () => REFERENCE_ALPHABET.charAt(randomInt(REFERENCE_ALPHABET.length))).join('')}`,
};
