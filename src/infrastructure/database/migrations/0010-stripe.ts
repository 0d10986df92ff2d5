import { Migration } from '@mikro-orm/migrations';

/** The second provider: its connections and customers, and invoices and operations that may belong to either. */
export class StripeMigration extends Migration {
  override up(): void {
    this.addSql(`
alter table "provider_operation" rename column "connection_id" to "qbo_connection_id";
alter table "provider_operation" alter column "qbo_connection_id" drop not null;
alter index "provider_operation_connection_id_index" rename to "provider_operation_qbo_connection_id_index";
alter table "provider_operation" rename constraint "provider_operation_connection_id_foreign" to "provider_operation_qbo_connection_id_foreign";

create table "stripe_connection" ("id" text not null, "conference_id" text not null, "account_id" text not null, "account_name" text not null, "live_mode" boolean not null, "simulated" boolean not null, "status" text not null, "secret_key" text not null, "webhook_secret" text not null, "publishable_key" text null, "days_until_due" int not null, "swept_until" timestamptz(3) null, "sweep_due_at" timestamptz(3) not null, "sweep_error" text null, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, primary key ("id"));
alter table "stripe_connection" add constraint "stripe_connection_conference_id_unique" unique ("conference_id");
create index "stripe_connection_account_id_index" on "stripe_connection" ("account_id");

create table "stripe_customer" ("id" text not null, "company_id" text not null, "normalized_name" text not null, "email" text not null, "external_id" text null, "body" text not null, "first_sent_at" timestamptz(3) null, "created_at" timestamptz(3) not null, primary key ("id"));
alter table "stripe_customer" add constraint "stripe_customer_company_id_normalized_name_email_unique" unique ("company_id", "normalized_name", "email");

alter table "provider_payment" drop constraint "provider_payment_provider_check";
alter table "provider_payment" add constraint "provider_payment_provider_check" check ("provider" in ('QBO', 'STRIPE'));

alter table "credit_note" drop constraint "credit_note_source_check";
alter table "credit_note" add constraint "credit_note_source_check" check ("source" in ('MANUAL', 'QBO', 'STRIPE'));

alter table "provider_operation" drop constraint "provider_operation_kind_check";
alter table "provider_operation" add "stripe_connection_id" text null;
alter table "provider_operation" add constraint "provider_operation_stripe_connection_id_foreign" foreign key ("stripe_connection_id") references "stripe_connection" ("id") on delete restrict;
create index "provider_operation_stripe_connection_id_index" on "provider_operation" ("stripe_connection_id");
alter table "provider_operation" add constraint "provider_operation_one_connection" check (num_nonnulls(qbo_connection_id, stripe_connection_id) = 1);
alter table "provider_operation" add constraint "provider_operation_kind_check" check ("kind" in ('CREATE_CUSTOMER', 'CREATE_INVOICE', 'SEND_INVOICE', 'VOID_INVOICE', 'SWITCH_PROVIDER'));

alter table "invoice" drop constraint "invoice_provider_check";
alter table "invoice" drop constraint "invoice_status_check";
alter table "invoice" add "stripe_connection_id" text null, add "refunded_minor" bigint not null default '0', add "processing_minor" bigint not null default '0', add "is_disputed" boolean not null default false;
alter table "invoice" add constraint "invoice_stripe_connection_id_foreign" foreign key ("stripe_connection_id") references "stripe_connection" ("id") on delete restrict;
create index "invoice_stripe_connection_id_index" on "invoice" ("stripe_connection_id");
alter table "invoice" add constraint "invoice_amounts_given_back_valid" check (refunded_minor >= 0 and processing_minor >= 0);
alter table "invoice" add constraint "invoice_connection_check" check (case provider when 'QBO' then stripe_connection_id is null else qbo_connection_id is null end);
alter table "invoice" add constraint "invoice_provider_check" check ("provider" in ('QBO', 'STRIPE'));
alter table "invoice" add constraint "invoice_status_check" check ("status" in ('CREATING', 'OPEN', 'PARTIALLY_PAID', 'PAID', 'VOIDED', 'DELETED', 'UNKNOWN', 'UNCOLLECTIBLE'));

alter table "webhook_event" drop constraint "webhook_event_provider_event_id_unique";
alter table "webhook_event" add constraint "webhook_event_provider_company_id_event_id_unique" unique ("provider", "company_id", "event_id");

alter table "stripe_connection" add constraint "stripe_connection_conference_id_foreign" foreign key ("conference_id") references "conference" ("id") on delete restrict;
alter table "stripe_connection" add constraint "stripe_connection_account_id_valid" check (account_id ~ '^acct_[A-Za-z0-9]{1,64}$');
alter table "stripe_connection" add constraint "stripe_connection_days_until_due_valid" check (days_until_due >= 0 and days_until_due <= 365);
alter table "stripe_connection" add constraint "stripe_connection_status_check" check ("status" in ('CONNECTED', 'RECONNECT_REQUIRED'));
`);
  }
}
