import { Migration } from '@mikro-orm/migrations';

/**
 * Lists find the orders with or without an invoice, and events of every state, in an index; so does who forgets
 * changes. The trigger comes first: making it waits for whoever changes an invoice, so that no change is missed.
 */
export class IndexesOfListsMigration extends Migration {
  override up(): void {
    this.addSql(`
alter table "purchase_order" add column "is_invoiced" boolean not null default false;
create or replace function "invoice_invoice_makes_invoiced_fn"() returns trigger as $$ begin update purchase_order set is_invoiced = not is_invoiced
      where id = coalesce(new.purchase_order_id, old.purchase_order_id) and is_invoiced <> exists (
        select from invoice where purchase_order_id = purchase_order.id and invoice.status not in ('VOIDED', 'DELETED'));     return null; end; $$ language plpgsql;
create trigger "invoice_makes_invoiced" AFTER INSERT OR UPDATE OR DELETE on "invoice" for each ROW execute function "invoice_invoice_makes_invoiced_fn"();

alter table "purchase_order" disable trigger "purchase_order_change_is_noted";
update purchase_order set is_invoiced = true
  where exists (select from invoice where purchase_order_id = purchase_order.id and status not in ('VOIDED', 'DELETED'));
alter table "purchase_order" enable trigger "purchase_order_change_is_noted";
create index "purchase_order_conference_id_is_invoiced_created_at_id_index" on "purchase_order" ("conference_id", "is_invoiced", "created_at", "id");

drop index "webhook_event_dead";
create index "webhook_event_settled" on "webhook_event" ("state", "received_at", "id") where state in ('DONE', 'IGNORED', 'DEAD');

create index "purchase_order_change_changed_at_index" on "purchase_order_change" ("changed_at");
`);
  }
}
