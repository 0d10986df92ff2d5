/**
 * The sums of a purchase order's rows, for a statement that selects from `purchase_order`. Each is a sub-select of its
 * own: joining payments with credit notes would multiply both. As text, because a JavaScript number would lose digits.
 */
export const LEDGER_COLUMNS = `
  (select coalesce(sum(amount_minor), 0)::text from payment
    where purchase_order_id = purchase_order.id
      and not exists (select from payment_reversal where payment_id = payment.id)) as paid_minor,
  (select coalesce(sum(amount_minor), 0)::text from credit_note
    where purchase_order_id = purchase_order.id) as credited_minor`;
