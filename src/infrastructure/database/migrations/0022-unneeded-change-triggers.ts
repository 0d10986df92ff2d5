import { Migration } from '@mikro-orm/migrations';

/** What is booked on a purchase order changes its stored sums, and with them the order, which notes that by itself. */
export class UnneededChangeTriggersMigration extends Migration {
  override up(): void {
    this.addSql(`
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
