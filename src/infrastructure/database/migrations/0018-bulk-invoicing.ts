import { Migration } from '@mikro-orm/migrations';

/** Several purchase orders are invoiced in one go, in envelopes that are operations, too. */
export class BulkInvoicingMigration extends Migration {
  override up(): void {
    this.addSql(`
create table "bulk_invoicing" ("id" text not null, "actor_id" text not null, "actor_name" text not null, "actor_kind" text not null, "created_at" timestamptz(3) not null, "finished_at" timestamptz(3) null, primary key ("id"));
alter table "bulk_invoicing" add constraint "bulk_invoicing_actor_kind_check" check ("actor_kind" in ('API_KEY', 'USER', 'SYSTEM'));
create index "bulk_invoicing_unfinished" on "bulk_invoicing" ("created_at") where finished_at is null;
create table "bulk_invoicing_item" ("id" text not null, "bulk_invoicing_id" text not null, "purchase_order_id" text not null, "position" int not null, "state" text not null, "invoice_id" text null, "attempts" int not null default 0, "resume_at" timestamptz(3) null, "error_code" text null, "error_message" text null, "fault_code" text null, "intuit_tid" text null, primary key ("id"));
create index "bulk_invoicing_item_invoice_id_index" on "bulk_invoicing_item" ("invoice_id");
create index "bulk_invoicing_item_pending" on "bulk_invoicing_item" ("purchase_order_id") where state = 'PENDING';
alter table "bulk_invoicing_item" add constraint "bulk_invoicing_item_bulk_invoicing_id_purchase_order_id_unique" unique ("bulk_invoicing_id", "purchase_order_id");
alter table "bulk_invoicing_item" add constraint "bulk_invoicing_item_bulk_invoicing_id_position_unique" unique ("bulk_invoicing_id", "position");
alter table "provider_operation" drop constraint "provider_operation_kind_check";
alter table "provider_operation" add "envelope_id" text null, add "envelope_item" text null;
alter table "provider_operation" add constraint "provider_operation_envelope_id_foreign" foreign key ("envelope_id") references "provider_operation" ("id") on delete restrict;
alter table "provider_operation" add constraint "provider_operation_envelope_id_envelope_item_unique" unique ("envelope_id", "envelope_item");
alter table "provider_operation" add constraint "provider_operation_envelope_item_valid" check ((envelope_id is null) = (envelope_item is null) and length(envelope_item) <= 10);
alter table "provider_operation" add constraint "provider_operation_kind_check" check ("kind" in ('CREATE_CUSTOMER', 'CREATE_INVOICE', 'SEND_INVOICE', 'VOID_INVOICE', 'SWITCH_PROVIDER', 'CREATE_INVOICES'));
alter table "bulk_invoicing_item" add constraint "bulk_invoicing_item_bulk_invoicing_id_foreign" foreign key ("bulk_invoicing_id") references "bulk_invoicing" ("id") on delete restrict;
alter table "bulk_invoicing_item" add constraint "bulk_invoicing_item_purchase_order_id_foreign" foreign key ("purchase_order_id") references "purchase_order" ("id") on delete restrict;
alter table "bulk_invoicing_item" add constraint "bulk_invoicing_item_invoice_id_foreign" foreign key ("invoice_id") references "invoice" ("id") on delete set null;
alter table "bulk_invoicing_item" add constraint "bulk_invoicing_item_error_valid" check (case state when 'FAILED' then error_code is not null and error_message is not null when 'SUCCEEDED' then error_code is null and invoice_id is not null else true end);
alter table "bulk_invoicing_item" add constraint "bulk_invoicing_item_position_valid" check (position >= 1 and position <= 200);
alter table "bulk_invoicing_item" add constraint "bulk_invoicing_item_state_check" check ("state" in ('PENDING', 'SUCCEEDED', 'FAILED'));

create or replace function "bulk_invoicing_bulk_invoicing_is_told_fn"() returns trigger as $$ begin perform pg_notify('change', new.id); return null; end; $$ language plpgsql;
create trigger "bulk_invoicing_is_told" AFTER UPDATE on "bulk_invoicing" for each ROW execute function "bulk_invoicing_bulk_invoicing_is_told_fn"();
create or replace function "bulk_invoicing_item_bulk_invoicing_item_is_told_fn"() returns trigger as $$ begin perform pg_notify('change', new.bulk_invoicing_id); return null; end; $$ language plpgsql;
create trigger "bulk_invoicing_item_is_told" AFTER UPDATE on "bulk_invoicing_item" for each ROW execute function "bulk_invoicing_item_bulk_invoicing_item_is_told_fn"();
`);
  }
}
