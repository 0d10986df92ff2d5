/** Conditions for rows that were not taken back. */
export const STANDING_PAYMENT = 'not exists (select from payment_reversal where payment_id = payment.id)';
export const STANDING_CREDIT = 'not exists (select from credit_note_reversal where credit_note_id = credit_note.id)';

/**
 * The sums of a purchase order's rows, for a statement that selects from `purchase_order`. Each is a sub-select of its
 * own: joining payments with credit notes would multiply both. As text, because a JavaScript number would lose digits.
 */
export const LEDGER_COLUMNS = `
  (select coalesce(sum(amount_minor), 0)::text from payment
    where purchase_order_id = purchase_order.id and ${STANDING_PAYMENT}) as paid_minor,
  (select coalesce(sum(amount_minor), 0)::text from credit_note
    where purchase_order_id = purchase_order.id and ${STANDING_CREDIT}) as credited_minor`;
