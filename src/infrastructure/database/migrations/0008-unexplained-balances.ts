import { Migration } from '@mikro-orm/migrations';

/** Invoices keep what part of their balance the latest reading could not explain, so that it is not looked into anew. */
export class UnexplainedBalancesMigration extends Migration {
  override up(): void {
    this.addSql(`alter table "invoice" add column "unexplained_minor" bigint not null default '0';`);
  }
}
