import { Migration } from '@mikro-orm/migrations';

/** Credits that a provider applied, and what it last said of a payment. All credit notes so far were issued by hand. */
export class ProviderCreditsMigration extends Migration {
  override up(): void {
    this.addSql(`
create table "provider_payment" ("id" text not null, "provider" text not null, "company_id" text not null, "external_id" text not null, "status" text not null, "currency_code" text not null, "total_minor" bigint not null, "unapplied_minor" bigint not null, "unapplied_since" timestamptz(3) null, "paid_on" date not null, "sync_token" text not null, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, primary key ("id"));
alter table "provider_payment" add constraint "provider_payment_provider_company_id_external_id_unique" unique ("provider", "company_id", "external_id");

create table "credit_note_reversal" ("id" text not null, "credit_note_id" text not null, "reason" text not null, "reversed_by" text not null, "created_at" timestamptz(3) not null, primary key ("id"));
alter table "credit_note_reversal" add constraint "credit_note_reversal_credit_note_id_unique" unique ("credit_note_id");

alter table "credit_note" add "source" text not null default 'MANUAL', add "provider_company" text null, add "provider_payment_id" text null, add "provider_invoice_id" text null, add "revision" int null;
alter table "credit_note" alter column "source" drop default;
create index "credit_note_provider_company_provider_invoice_id_index" on "credit_note" ("provider_company", "provider_invoice_id");
create index "payment_provider_company_provider_invoice_id_index" on "payment" ("provider_company", "provider_invoice_id");
alter table "credit_note" add constraint "credit_note_source_provider_company_provider_paym_87236_unique" unique ("source", "provider_company", "provider_payment_id", "provider_invoice_id", "revision");
alter table "credit_note" add constraint "credit_note_provider_identity_check" check ((source = 'MANUAL' and num_nonnulls(provider_company, provider_payment_id, provider_invoice_id, revision) = 0)
    or (source <> 'MANUAL' and num_nulls(provider_company, provider_payment_id, provider_invoice_id, revision) = 0 and revision >= 1));
alter table "credit_note" add constraint "credit_note_source_check" check ("source" in ('MANUAL', 'QBO'));
create or replace function "credit_note_credit_note_revision_follows_reversal_fn"() returns trigger as $$ begin if new.revision > 1 and not exists (
      select 1 from credit_note previous join credit_note_reversal reversal on reversal.credit_note_id = previous.id
      where previous.source = new.source and previous.provider_company = new.provider_company
        and previous.provider_payment_id = new.provider_payment_id and previous.provider_invoice_id = new.provider_invoice_id
        and previous.revision = new.revision - 1)
    then raise exception 'revision % of a credit note needs revision % reversed first', new.revision, new.revision - 1
      using errcode = 'restrict_violation';     end if;     return new; end; $$ language plpgsql;
create trigger "credit_note_revision_follows_reversal" BEFORE INSERT on "credit_note" for each ROW execute function "credit_note_credit_note_revision_follows_reversal_fn"();

alter table "provider_payment" add constraint "provider_payment_currency_code_valid" check (currency_code ~ '^[A-Z]{3}$');
alter table "provider_payment" add constraint "provider_payment_ended_check" check (status = 'STANDING' or unapplied_minor = 0);
alter table "provider_payment" add constraint "provider_payment_unapplied_since_check" check ((unapplied_minor > 0) = (unapplied_since is not null));
alter table "provider_payment" add constraint "provider_payment_amounts_valid" check (total_minor >= 0 and unapplied_minor >= 0 and total_minor <= 999999999999999 and unapplied_minor <= 999999999999999);
alter table "provider_payment" add constraint "provider_payment_provider_check" check ("provider" in ('QBO'));
alter table "provider_payment" add constraint "provider_payment_status_check" check ("status" in ('STANDING', 'VOIDED', 'DELETED'));

alter table "credit_note_reversal" add constraint "credit_note_reversal_credit_note_id_foreign" foreign key ("credit_note_id") references "credit_note" ("id") on delete restrict;
alter table "credit_note_reversal" add constraint "credit_note_reversal_reason_valid" check (reason <> '' and length(reason) <= 1000);
create or replace function "credit_note_reversal_credit_note_reversal_is_append_only_fn"() returns trigger as $$ begin raise exception 'credit note reversals are append-only' using errcode = 'restrict_violation'; end; $$ language plpgsql;
create trigger "credit_note_reversal_is_append_only" BEFORE UPDATE OR DELETE on "credit_note_reversal" for each ROW execute function "credit_note_reversal_credit_note_reversal_is_append_only_fn"();
`);
  }
}
