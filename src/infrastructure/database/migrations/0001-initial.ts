import { Migration } from '@mikro-orm/migrations';

/** The whole schema as it began. */
export class InitialMigration extends Migration {
  override up(): void {
    this.addSql(`
create table "api_key" ("id" text not null, "name" text not null, "key_hash" text not null, "created_at" timestamptz(3) not null, "revoked_at" timestamptz(3) null, primary key ("id"));
alter table "api_key" add constraint "api_key_name_unique" unique ("name");
alter table "api_key" add constraint "api_key_key_hash_unique" unique ("key_hash");

create table "audit_event" ("id" text not null, "actor" text not null, "action" text not null, "subject" text not null, "before" jsonb null, "after" jsonb null, "occurred_at" timestamptz(3) not null, primary key ("id"));
create index "audit_event_subject_id_index" on "audit_event" ("subject", "id");

create table "client_idempotency_key" ("id" text not null, "actor" text not null, "mutation" text not null, "key" text not null, "input_hash" text not null, "result_id" text not null, "created_at" timestamptz(3) not null, primary key ("id"));
create index "client_idempotency_key_result_id_index" on "client_idempotency_key" ("result_id");
create index "client_idempotency_key_created_at_index" on "client_idempotency_key" ("created_at");
alter table "client_idempotency_key" add constraint "client_idempotency_key_actor_mutation_key_unique" unique ("actor", "mutation", "key");

create table "qbo_connection" ("id" text not null, "environment" text not null, "realm_id" text not null, "company_name" text not null, "status" text not null, "simulated" boolean not null, "access_token" text not null, "refresh_token" text not null, "client_id" text null, "client_secret" text null, "access_token_expires_at" timestamptz(3) not null, "refresh_token_expires_at" timestamptz(3) null, "token_version" int not null default 1, "refresh_fence" int not null default 0, "refresh_lease_until" timestamptz(3) null, "service_item_id" text null, "settings" jsonb null, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, primary key ("id"));
alter table "qbo_connection" add constraint "qbo_connection_environment_realm_id_unique" unique ("environment", "realm_id");

create table "provider_operation" ("id" text not null, "kind" text not null, "subject" text not null, "generation" int not null, "connection_id" text not null, "state" text not null, "body" text null, "lease_until" timestamptz(3) not null, "attempts" int not null default 0, "first_sent_at" timestamptz(3) null, "last_error" text null, "rejection" text null, "intuit_tid" text null, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, primary key ("id"));
create index "provider_operation_connection_id_index" on "provider_operation" ("connection_id");
create index "provider_operation_open" on "provider_operation" ("lease_until") where state in ('CLAIMED', 'IN_FLIGHT', 'UNKNOWN');
create unique index "provider_operation_one_open_per_subject" on "provider_operation" ("kind", "subject") where state in ('CLAIMED', 'IN_FLIGHT', 'UNKNOWN');
alter table "provider_operation" add constraint "provider_operation_kind_subject_generation_unique" unique ("kind", "subject", "generation");

create table "conference" ("id" text not null, "slug" text not null, "name" text not null, "start_date" date null, "end_date" date null, "timezone" text not null, "currency_code" text not null, "qbo_connection_id" text null, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, primary key ("id"));
alter table "conference" add constraint "conference_slug_unique" unique ("slug");
create index "conference_qbo_connection_id_index" on "conference" ("qbo_connection_id");

create table "purchase_order" ("id" text not null, "conference_id" text not null, "reference" text not null, "status" text not null, "organization_name" text not null, "contact_email" text not null, "contact_name" text not null, "billing_address" text not null, "notes" text not null, "buyer_reference" text not null, "currency_code" text not null, "due_date" date null, "total_minor" bigint not null, "sent_at" timestamptz(3) null, "cancelled_at" timestamptz(3) null, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, primary key ("id"));
alter table "purchase_order" add constraint "purchase_order_reference_unique" unique ("reference");
create index "purchase_order_created_at_id_index" on "purchase_order" ("created_at", "id");
create index "purchase_order_conference_id_created_at_id_index" on "purchase_order" ("conference_id", "created_at", "id");

create table "payment" ("id" text not null, "purchase_order_id" text not null, "amount_minor" bigint not null, "method" text not null, "source" text not null, "reference" text not null, "paid_on" date not null, "note" text not null, "provider_company" text null, "provider_payment_id" text null, "provider_invoice_id" text null, "revision" int null, "recorded_by" text not null, "created_at" timestamptz(3) not null, primary key ("id"));
create index "payment_purchase_order_id_paid_on_id_index" on "payment" ("purchase_order_id", "paid_on", "id");
alter table "payment" add constraint "payment_source_provider_company_provider_payment__b52db_unique" unique ("source", "provider_company", "provider_payment_id", "provider_invoice_id", "revision");

create table "payment_reversal" ("id" text not null, "payment_id" text not null, "reason" text not null, "reversed_by" text not null, "created_at" timestamptz(3) not null, primary key ("id"));
alter table "payment_reversal" add constraint "payment_reversal_payment_id_unique" unique ("payment_id");

create table "line_item" ("id" text not null, "purchase_order_id" text not null, "position" int not null, "description" text not null, "quantity" int not null, "unit_price_minor" bigint not null, "line_total_minor" bigint not null, primary key ("id"));
alter table "line_item" add constraint "line_item_purchase_order_id_position_unique" unique ("purchase_order_id", "position");

create table "invoice" ("id" text not null, "purchase_order_id" text not null, "provider" text not null, "qbo_connection_id" text null, "company_id" text not null, "status" text not null, "external_id" text null, "number" text null, "url" text null, "pay_url" text null, "currency_code" text not null, "total_minor" bigint not null, "balance_minor" bigint not null, "matches_purchase_order" boolean not null default true, "sync_token" text null, "email_status" text not null default 'NOT_SENT', "sync_version" int not null default 0, "last_synced_at" timestamptz(3) null, "created_at" timestamptz(3) not null, "updated_at" timestamptz(3) not null, primary key ("id"));
create index "invoice_purchase_order_id_index" on "invoice" ("purchase_order_id");
create index "invoice_qbo_connection_id_index" on "invoice" ("qbo_connection_id");
alter table "invoice" add constraint "invoice_provider_company_id_external_id_unique" unique ("provider", "company_id", "external_id");
create unique index "invoice_one_live_per_purchase_order" on "invoice" ("purchase_order_id") where status not in ('VOIDED', 'DELETED');

create table "credit_note" ("id" text not null, "purchase_order_id" text not null, "amount_minor" bigint not null, "reason" text not null, "issued_by" text not null, "created_at" timestamptz(3) not null, primary key ("id"));
create index "credit_note_purchase_order_id_index" on "credit_note" ("purchase_order_id");

create table "qbo_customer" ("id" text not null, "connection_id" text not null, "normalized_name" text not null, "currency_code" text not null, "external_id" text not null, "display_name" text not null, "created_at" timestamptz(3) not null, primary key ("id"));
alter table "qbo_customer" add constraint "qbo_customer_connection_id_normalized_name_currency_code_unique" unique ("connection_id", "normalized_name", "currency_code");

create table "webhook_event" ("id" text not null, "provider" text not null, "event_id" text not null, "company_id" text not null, "entity" text not null, "entity_id" text not null, "operation" text not null, "occurred_at" timestamptz(3) null, "payload" jsonb not null, "state" text not null, "attempts" int not null default 0, "next_attempt_at" timestamptz(3) not null, "last_error" text null, "received_at" timestamptz(3) not null, "processed_at" timestamptz(3) null, primary key ("id"));
create index "webhook_event_dead" on "webhook_event" ("received_at") where state = 'DEAD';
create index "webhook_event_pending" on "webhook_event" ("provider", "company_id", "received_at", "id") where state = 'RECEIVED';
alter table "webhook_event" add constraint "webhook_event_provider_event_id_unique" unique ("provider", "event_id");

create or replace function "audit_event_audit_event_is_append_only_fn"() returns trigger as $$ begin raise exception 'audit events are append-only' using errcode = 'restrict_violation'; end; $$ language plpgsql;
create trigger "audit_event_is_append_only" BEFORE UPDATE OR DELETE on "audit_event" for each ROW execute function "audit_event_audit_event_is_append_only_fn"();

alter table "client_idempotency_key" add constraint "client_idempotency_key_key_valid" check (length(key) >= 8 and length(key) <= 255);

alter table "qbo_connection" add constraint "qbo_connection_realm_id_valid" check (realm_id ~ '^[0-9]{1,30}$');
alter table "qbo_connection" add constraint "qbo_connection_environment_check" check ("environment" in ('SANDBOX', 'PRODUCTION'));
alter table "qbo_connection" add constraint "qbo_connection_status_check" check ("status" in ('CONNECTED', 'RECONNECT_REQUIRED'));

alter table "provider_operation" add constraint "provider_operation_connection_id_foreign" foreign key ("connection_id") references "qbo_connection" ("id") on delete restrict;
alter table "provider_operation" add constraint "provider_operation_body_valid" check (body is not null or state in ('CLAIMED', 'REFUSED'));
alter table "provider_operation" add constraint "provider_operation_generation_valid" check (generation >= 1);
alter table "provider_operation" add constraint "provider_operation_kind_check" check ("kind" in ('CREATE_CUSTOMER', 'CREATE_INVOICE', 'SEND_INVOICE'));
alter table "provider_operation" add constraint "provider_operation_state_check" check ("state" in ('CLAIMED', 'IN_FLIGHT', 'DONE', 'REFUSED', 'UNKNOWN'));

alter table "conference" add constraint "conference_qbo_connection_id_foreign" foreign key ("qbo_connection_id") references "qbo_connection" ("id") on delete restrict;
alter table "conference" add constraint "conference_end_date_valid" check (end_date is null or start_date is null or end_date >= start_date);
alter table "conference" add constraint "conference_name_valid" check (name <> '' and length(name) <= 200);
alter table "conference" add constraint "conference_slug_valid" check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(slug) <= 200);
alter table "conference" add constraint "conference_currency_code_valid" check (currency_code ~ '^[A-Z]{3}$');

alter table "purchase_order" add constraint "purchase_order_conference_id_foreign" foreign key ("conference_id") references "conference" ("id") on delete restrict;
alter table "purchase_order" add constraint "purchase_order_status_valid" check ((status = 'CANCELLED') = (cancelled_at is not null));
alter table "purchase_order" add constraint "purchase_order_currency_code_valid" check (currency_code ~ '^[A-Z]{3}$');
alter table "purchase_order" add constraint "purchase_order_contact_email_valid" check (contact_email ~ '^[^@]+@[^@]+$' and length(contact_email) <= 100);
alter table "purchase_order" add constraint "purchase_order_organization_name_valid" check (organization_name <> '' and length(organization_name) <= 300);
alter table "purchase_order" add constraint "purchase_order_reference_valid" check (reference ~ '^PO-[A-Z0-9]{6}$');
alter table "purchase_order" add constraint "purchase_order_total_minor_valid" check (total_minor >= 0 and total_minor <= 999999999999999);
alter table "purchase_order" add constraint "purchase_order_status_check" check ("status" in ('DRAFT', 'SENT', 'PARTIALLY_PAID', 'PAID', 'OVERPAID', 'CANCELLED'));
create or replace function "purchase_order_purchase_order_currency_is_fixed_fn"() returns trigger as $$ begin if new.currency_code <> old.currency_code
    then raise exception 'the currency of a purchase order never changes' using errcode = 'restrict_violation';     end if;     return new; end; $$ language plpgsql;
create trigger "purchase_order_currency_is_fixed" BEFORE UPDATE on "purchase_order" for each ROW execute function "purchase_order_purchase_order_currency_is_fixed_fn"();

alter table "payment" add constraint "payment_purchase_order_id_foreign" foreign key ("purchase_order_id") references "purchase_order" ("id") on delete restrict;
alter table "payment" add constraint "payment_provider_identity_check" check ((source = 'MANUAL' and num_nonnulls(provider_company, provider_payment_id, provider_invoice_id, revision) = 0)
    or (source <> 'MANUAL' and num_nulls(provider_company, provider_payment_id, provider_invoice_id, revision) = 0 and revision >= 1));
alter table "payment" add constraint "payment_amount_minor_valid" check (amount_minor >= 1 and amount_minor <= 999999999999999);
alter table "payment" add constraint "payment_method_check" check ("method" in ('WIRE', 'ACH', 'CHECK', 'CARD', 'STRIPE', 'QBO', 'OTHER'));
alter table "payment" add constraint "payment_source_check" check ("source" in ('MANUAL', 'QBO', 'STRIPE'));
create or replace function "payment_payment_revision_follows_reversal_fn"() returns trigger as $$ begin if new.revision > 1 and not exists (
      select 1 from payment previous join payment_reversal reversal on reversal.payment_id = previous.id
      where previous.source = new.source and previous.provider_company = new.provider_company
        and previous.provider_payment_id = new.provider_payment_id and previous.provider_invoice_id = new.provider_invoice_id
        and previous.revision = new.revision - 1)
    then raise exception 'revision % of a payment needs revision % reversed first', new.revision, new.revision - 1
      using errcode = 'restrict_violation';     end if;     return new; end; $$ language plpgsql;
create trigger "payment_revision_follows_reversal" BEFORE INSERT on "payment" for each ROW execute function "payment_payment_revision_follows_reversal_fn"();
create or replace function "payment_payment_is_append_only_fn"() returns trigger as $$ begin raise exception 'payments are append-only; insert a payment_reversal' using errcode = 'restrict_violation'; end; $$ language plpgsql;
create trigger "payment_is_append_only" BEFORE UPDATE OR DELETE on "payment" for each ROW execute function "payment_payment_is_append_only_fn"();

alter table "payment_reversal" add constraint "payment_reversal_payment_id_foreign" foreign key ("payment_id") references "payment" ("id") on delete restrict;
alter table "payment_reversal" add constraint "payment_reversal_reason_valid" check (reason <> '' and length(reason) <= 1000);
create or replace function "payment_reversal_payment_reversal_is_append_only_fn"() returns trigger as $$ begin raise exception 'payment reversals are append-only' using errcode = 'restrict_violation'; end; $$ language plpgsql;
create trigger "payment_reversal_is_append_only" BEFORE UPDATE OR DELETE on "payment_reversal" for each ROW execute function "payment_reversal_payment_reversal_is_append_only_fn"();

alter table "line_item" add constraint "line_item_purchase_order_id_foreign" foreign key ("purchase_order_id") references "purchase_order" ("id") on delete restrict;
alter table "line_item" add constraint "line_item_description_valid" check (description <> '' and length(description) <= 300);
alter table "line_item" add constraint "line_item_line_total_minor_valid" check (line_total_minor = unit_price_minor * quantity and line_total_minor <= 999999999999999);
alter table "line_item" add constraint "line_item_unit_price_minor_valid" check (unit_price_minor >= 0);
alter table "line_item" add constraint "line_item_quantity_valid" check (quantity >= 1);

alter table "invoice" add constraint "invoice_purchase_order_id_foreign" foreign key ("purchase_order_id") references "purchase_order" ("id") on delete restrict;
alter table "invoice" add constraint "invoice_qbo_connection_id_foreign" foreign key ("qbo_connection_id") references "qbo_connection" ("id") on delete restrict;
alter table "invoice" add constraint "invoice_external_id_check" check (external_id is not null or status in ('CREATING', 'UNKNOWN'));
alter table "invoice" add constraint "invoice_provider_check" check ("provider" in ('QBO'));
alter table "invoice" add constraint "invoice_status_check" check ("status" in ('CREATING', 'OPEN', 'PARTIALLY_PAID', 'PAID', 'VOIDED', 'DELETED', 'UNKNOWN'));
alter table "invoice" add constraint "invoice_email_status_check" check ("email_status" in ('NOT_SENT', 'PENDING', 'SENT'));

alter table "credit_note" add constraint "credit_note_purchase_order_id_foreign" foreign key ("purchase_order_id") references "purchase_order" ("id") on delete restrict;
alter table "credit_note" add constraint "credit_note_reason_valid" check (reason <> '' and length(reason) <= 1000);
alter table "credit_note" add constraint "credit_note_amount_minor_valid" check (amount_minor >= 1 and amount_minor <= 999999999999999);
create or replace function "credit_note_credit_note_is_append_only_fn"() returns trigger as $$ begin raise exception 'credit notes are append-only' using errcode = 'restrict_violation'; end; $$ language plpgsql;
create trigger "credit_note_is_append_only" BEFORE UPDATE OR DELETE on "credit_note" for each ROW execute function "credit_note_credit_note_is_append_only_fn"();

alter table "qbo_customer" add constraint "qbo_customer_connection_id_foreign" foreign key ("connection_id") references "qbo_connection" ("id") on delete restrict;

alter table "webhook_event" add constraint "webhook_event_state_check" check ("state" in ('RECEIVED', 'DONE', 'IGNORED', 'DEAD'));
`);
  }
}
