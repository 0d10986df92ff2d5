import { areSumsStored, query } from './seed.js';

/** Where the sums are not stored, the peers get functions that compute them under the same names. */
export async function offerSums(url: string): Promise<void> {
  if (await areSumsStored(url)) return;
  for (const [name, expression] of Object.entries(SUMS)) {
    // The short name is for SQL, the long one is where PostGraphile looks for a computed column.
    for (const called of [name, `purchase_order_${name}`]) {
      await query(
        url,
        `create function ${called}(purchase_order) returns bigint language sql stable as $$ select ${expression} $$`,
      );
    }
  }
}

const PAID = `(select coalesce(sum(amount_minor), 0)::bigint from payment where purchase_order_id = $1.id
  and not exists (select from payment_reversal where payment_id = payment.id))`;
const CREDITED = `(select coalesce(sum(amount_minor), 0)::bigint from credit_note where purchase_order_id = $1.id
  and not exists (select from credit_note_reversal where credit_note_id = credit_note.id))`;

const SUMS = { paid_minor: PAID, credited_minor: CREDITED, balance_minor: `$1.total_minor - ${PAID} - ${CREDITED}` };
