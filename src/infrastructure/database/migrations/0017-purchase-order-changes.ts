import { Migration } from '@mikro-orm/migrations';

/** Whoever watches a purchase order learns of its changes, whichever process makes them. */
export class PurchaseOrderChangesMigration extends Migration {
  override up(): void {
    this.addSql(`
create table "purchase_order_change" ("purchase_order_id" text not null, "xid" xid8 not null, "conference_id" text not null, "changed_at" timestamptz(3) not null, primary key ("purchase_order_id", "xid"));
create index "purchase_order_change_conference_id_xid_index" on "purchase_order_change" ("conference_id", "xid");

create function "note_purchase_order_change"("changed_id" text) returns void language plpgsql as $$ begin insert into purchase_order_change (purchase_order_id, xid, conference_id, changed_at)
      select id, pg_current_xact_id(), conference_id, clock_timestamp() from purchase_order where id = changed_id
      on conflict do nothing;     if found then
      perform pg_notify('change', id || ' ' || conference_id) from purchase_order where id = changed_id;     end if; end $$;

create or replace function "audit_event_audit_event_is_noted_fn"() returns trigger as $$ begin perform note_purchase_order_change(new.subject); return null; end; $$ language plpgsql;
create trigger "audit_event_is_noted" AFTER INSERT on "audit_event" for each ROW execute function "audit_event_audit_event_is_noted_fn"();

create or replace function "provider_payment_provider_payment_rest_is_noted_fn"() returns trigger as $$ begin if old is null or new.unapplied_minor <> old.unapplied_minor then
      perform note_purchase_order_change(purchase_order_id) from (
        select purchase_order_id from payment
        where source = new.provider and provider_company = new.company_id and provider_payment_id = new.external_id
        union
        select purchase_order_id from credit_note
        where source = new.provider and provider_company = new.company_id and provider_payment_id = new.external_id
      ) as booked;     end if;     return null; end; $$ language plpgsql;
create trigger "provider_payment_rest_is_noted" AFTER INSERT OR UPDATE on "provider_payment" for each ROW execute function "provider_payment_provider_payment_rest_is_noted_fn"();

create or replace function "purchase_order_purchase_order_change_is_noted_fn"() returns trigger as $$ begin perform note_purchase_order_change(new.id); return null; end; $$ language plpgsql;
create trigger "purchase_order_change_is_noted" AFTER INSERT OR UPDATE on "purchase_order" for each ROW execute function "purchase_order_purchase_order_change_is_noted_fn"();

create or replace function "payment_payment_is_noted_fn"() returns trigger as $$ begin perform note_purchase_order_change(new.purchase_order_id); return null; end; $$ language plpgsql;
create trigger "payment_is_noted" AFTER INSERT on "payment" for each ROW execute function "payment_payment_is_noted_fn"();

create or replace function "payment_reversal_payment_reversal_is_noted_fn"() returns trigger as $$ begin perform note_purchase_order_change((select purchase_order_id from payment where id = new.payment_id)); return null; end; $$ language plpgsql;
create trigger "payment_reversal_is_noted" AFTER INSERT on "payment_reversal" for each ROW execute function "payment_reversal_payment_reversal_is_noted_fn"();

create or replace function "credit_note_credit_note_is_noted_fn"() returns trigger as $$ begin perform note_purchase_order_change(new.purchase_order_id); return null; end; $$ language plpgsql;
create trigger "credit_note_is_noted" AFTER INSERT on "credit_note" for each ROW execute function "credit_note_credit_note_is_noted_fn"();

create or replace function "credit_note_reversal_credit_note_reversal_is_noted_fn"() returns trigger as $$ begin perform note_purchase_order_change((select purchase_order_id from credit_note where id = new.credit_note_id)); return null; end; $$ language plpgsql;
create trigger "credit_note_reversal_is_noted" AFTER INSERT on "credit_note_reversal" for each ROW execute function "credit_note_reversal_credit_note_reversal_is_noted_fn"();

create or replace function "provider_operation_provider_operation_trouble_is_noted_fn"() returns trigger as $$ begin if new.kind = 'CREATE_INVOICE' and new.last_error is distinct from old.last_error then
      perform note_purchase_order_change(new.subject);     end if;     return null; end; $$ language plpgsql;
create trigger "provider_operation_trouble_is_noted" AFTER UPDATE on "provider_operation" for each ROW execute function "provider_operation_provider_operation_trouble_is_noted_fn"();

create or replace function "invoice_invoice_change_is_noted_fn"() returns trigger as $$ begin perform note_purchase_order_change(coalesce(new.purchase_order_id, old.purchase_order_id)); return null; end; $$ language plpgsql;
create trigger "invoice_change_is_noted" AFTER INSERT OR UPDATE OR DELETE on "invoice" for each ROW execute function "invoice_invoice_change_is_noted_fn"();
`);
  }
}
