import { raw } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Invoice } from '../../domain/invoice/invoice.entity.js';

/**
 * Takes the number of a reading; call it before the provider is asked for any part of it. A recording stores a number
 * that is taken after its own reading ended, so whoever began with a higher number asked later and saw at least what was
 * recorded. Whoever began with a lower one may have asked earlier: recording that could undo something newer.
 */
export async function beginReading(em: EntityManager): Promise<bigint> {
  const [row] = await em.fork().execute<{ number: string }[]>(`select nextval('invoice_reading') as number`);
  if (!row) throw new Error('a sequence gave no number');
  return BigInt(row.number);
}

/** Whether something was recorded since the reading with this number began. Ask under the lock of the invoice's row. */
export function isOvertaken(invoice: Invoice, begun: bigint): boolean {
  return invoice.readingRecorded > begun;
}

/** To assign to `readingRecorded`: the database takes the number when the invoice is written. */
export function nextReadingNumber(): bigint {
  return raw<bigint>(`nextval('invoice_reading')`);
}
