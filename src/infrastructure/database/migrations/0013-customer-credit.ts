import { Migration } from '@mikro-orm/migrations';

/** Invoices keep what the customer's balance in Stripe took off them. */
export class CustomerCreditMigration extends Migration {
  override up(): void {
    this.addSql(`alter table "invoice" add column "customer_credit_minor" bigint not null default '0';`);
  }
}
