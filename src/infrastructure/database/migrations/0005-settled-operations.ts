import { Migration } from '@mikro-orm/migrations';

/** Invoices can be voided, and operations whose outcome is unknown are looked up ever less often. */
export class SettledOperationsMigration extends Migration {
  override up(): void {
    this.addSql(`
alter table "provider_operation" add column "look_ups" int not null default 0;
alter table "provider_operation" drop constraint "provider_operation_kind_check";
alter table "provider_operation" add constraint "provider_operation_kind_check" check ("kind" in ('CREATE_CUSTOMER', 'CREATE_INVOICE', 'SEND_INVOICE', 'VOID_INVOICE'));
`);
  }
}
