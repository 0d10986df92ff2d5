import { Migration } from '@mikro-orm/migrations';

/** What is booked on a purchase order changes its stored sums, and with them the order, which notes that by itself. */
export class UnneededChangeTriggersMigration extends Migration {
  override up(): void {
    // Locked in the order in which bookings lock them, should an old process still be at work.
    this.addSql(`
lock table "purchase_order", "invoice", "payment", "payment_reversal", "credit_note", "credit_note_reversal" in access exclusive mode;
drop trigger "payment_is_noted" on "payment";
drop function "payment_payment_is_noted_fn"();
drop trigger "payment_reversal_is_noted" on "payment_reversal";
drop function "payment_reversal_payment_reversal_is_noted_fn"();
drop trigger "credit_note_is_noted" on "credit_note";
drop function "credit_note_credit_note_is_noted_fn"();
drop trigger "credit_note_reversal_is_noted" on "credit_note_reversal";
drop function "credit_note_reversal_credit_note_reversal_is_noted_fn"();
`);
  }
}
