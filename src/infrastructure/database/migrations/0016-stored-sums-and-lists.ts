import { Migration } from '@mikro-orm/migrations';

/**
 * Purchase orders store what was paid and credited, and get the indexes of their lists' filters and orderings. Whoever
 * books money locks its order first, so the new columns make late writers of an older version wait for the triggers.
 */
export class StoredSumsAndListsMigration extends Migration {
  override up(): void {
    this.addSql(`
do $$ begin
  create extension if not exists pg_trgm;
exception when insufficient_privilege or undefined_file or feature_not_supported then
  raise exception 'the extension pg_trgm cannot be created here: %', sqlerrm using errcode = 'CI001';
end $$;

alter table "purchase_order" add "paid_minor" bigint not null default '0', add "credited_minor" bigint not null default '0', add "balance_minor" bigint generated always as (total_minor - paid_minor - credited_minor) stored not null;

create or replace function "payment_payment_adds_up_fn"() returns trigger as $$ begin update purchase_order set paid_minor = paid_minor + new.amount_minor where id = new.purchase_order_id;     return null; end; $$ language plpgsql;
create trigger "payment_adds_up" AFTER INSERT on "payment" for each ROW execute function "payment_payment_adds_up_fn"();

create or replace function "payment_reversal_payment_reversal_adds_up_fn"() returns trigger as $$ begin update purchase_order set paid_minor = paid_minor - payment.amount_minor
    from payment where payment.id = new.payment_id and purchase_order.id = payment.purchase_order_id;     return null; end; $$ language plpgsql;
create trigger "payment_reversal_adds_up" AFTER INSERT on "payment_reversal" for each ROW execute function "payment_reversal_payment_reversal_adds_up_fn"();

create or replace function "credit_note_credit_note_adds_up_fn"() returns trigger as $$ begin update purchase_order set credited_minor = credited_minor + new.amount_minor where id = new.purchase_order_id;     return null; end; $$ language plpgsql;
create trigger "credit_note_adds_up" AFTER INSERT on "credit_note" for each ROW execute function "credit_note_credit_note_adds_up_fn"();

create or replace function "credit_note_reversal_credit_note_reversal_adds_up_fn"() returns trigger as $$ begin update purchase_order set credited_minor = credited_minor - credit_note.amount_minor
    from credit_note where credit_note.id = new.credit_note_id and purchase_order.id = credit_note.purchase_order_id;     return null; end; $$ language plpgsql;
create trigger "credit_note_reversal_adds_up" AFTER INSERT on "credit_note_reversal" for each ROW execute function "credit_note_reversal_credit_note_reversal_adds_up_fn"();

update purchase_order set
  paid_minor = (select coalesce(sum(amount_minor), 0) from payment where purchase_order_id = purchase_order.id
    and not exists (select from payment_reversal where payment_id = payment.id)),
  credited_minor = (select coalesce(sum(amount_minor), 0) from credit_note where purchase_order_id = purchase_order.id
    and not exists (select from credit_note_reversal where credit_note_id = credit_note.id))
where exists (select from payment where purchase_order_id = purchase_order.id)
  or exists (select from credit_note where purchase_order_id = purchase_order.id);

drop index "purchase_order_created_at_id_index";
create index "purchase_order_search_index" on "purchase_order" using gin ((reference || chr(10) || organization_name || chr(10) || buyer_reference || chr(10) || contact_email) gin_trgm_ops);
create index "purchase_order_conference_id_buyer_reference_index" on "purchase_order" ("conference_id", lower(buyer_reference)) where buyer_reference <> '';
create index "purchase_order_conference_id_organization_name_id_index" on "purchase_order" ("conference_id", lower(organization_name), "id");
create index "purchase_order_conference_id_due_date_id_index" on "purchase_order" ("conference_id", coalesce(due_date, 'infinity'::date), "id");
create index "purchase_order_conference_id_currency_code_balance_91eb6_index" on "purchase_order" ("conference_id", "currency_code", "balance_minor", "id");
create index "purchase_order_conference_id_currency_code_total_minor_id_index" on "purchase_order" ("conference_id", "currency_code", "total_minor", "id");
create index "purchase_order_conference_id_status_created_at_id_index" on "purchase_order" ("conference_id", "status", "created_at", "id");
create index "purchase_order_conference_id_reference_id_index" on "purchase_order" ("conference_id", lower(reference), "id");
create index "purchase_order_conference_id_updated_at_id_index" on "purchase_order" ("conference_id", "updated_at", "id");
`);
  }
}
