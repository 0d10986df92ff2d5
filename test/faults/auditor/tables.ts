import type { Row } from './evidence.js';
import { sumOfStanding } from './ledger.js';

/** For the auditor's own tests: the rows of a table; those of purchase orders store the sums that triggers keep. */
export function rowsOf(tables: Readonly<Record<string, Row[]>>, name: string): Row[] {
  const rows = tables[name] ?? [];
  if (name !== 'purchase_order') return rows;
  const sumOf = (table: string) => `${sumOfStanding(tables[table] ?? [])}`;
  return rows.map((row) => ({ paid_minor: sumOf('payment'), credited_minor: sumOf('credit_note'), ...row }));
}
