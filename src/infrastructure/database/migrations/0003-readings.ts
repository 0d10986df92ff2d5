import { Migration } from '@mikro-orm/migrations';

/** Readings of QuickBooks get an order of their own, and every company a sweep for what webhooks did not tell. */
export class ReadingsMigration extends Migration {
  override up(): void {
    this.addSql(`
create sequence "invoice_reading";

alter table "invoice" drop column "sync_version";
alter table "invoice" add column "reading_begun" bigint not null default '0';
alter table "invoice" add column "reading_recorded" bigint not null default '0';
alter table "invoice" add column "provider_read_at" timestamptz(3) null;

alter table "webhook_event" add column "arrival_number" bigint null;

create table "qbo_sweep" ("connection_id" text not null, "watermark" timestamptz(3) null, "next_sweep_at" timestamptz(3) not null, "last_run_at" timestamptz(3) not null, "last_swept_at" timestamptz(3) null, "gap_seen_at" timestamptz(3) null, "webhook_seen_at" timestamptz(3) null, "last_error" text null, primary key ("connection_id"));
create index "qbo_sweep_next_sweep_at_index" on "qbo_sweep" ("next_sweep_at");
alter table "qbo_sweep" add constraint "qbo_sweep_connection_id_foreign" foreign key ("connection_id") references "qbo_connection" ("id") on update cascade on delete restrict;
alter table "qbo_sweep" add constraint "qbo_sweep_watermark_check" check ((watermark is null) = (last_swept_at is null));
`);
  }
}
