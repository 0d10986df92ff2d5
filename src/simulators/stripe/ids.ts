import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** An id in the provider's manner, such as `in_1MtHbELkdIwHu7ixl4OzzPMv`. */
export function newId(prefix: string, length = 24): string {
  return `${prefix}_${randomText(length)}`;
}

/** Twelve capital letters and digits at most, as prefixes of invoice numbers are. */
export function newNumberPrefix(): string {
  return randomText(8).toUpperCase();
}

function randomText(length: number): string {
  return Array.from(randomBytes(length), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
}
