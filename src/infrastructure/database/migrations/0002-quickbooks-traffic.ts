import { Migration } from '@mikro-orm/migrations';

/** What keeps the traffic with QuickBooks within its limits, and what is known of a company's refresh token. */
export class QuickBooksTraffic extends Migration {
  override up(): void {
    this.addSql(`
alter table "qbo_connection" add column "previous_refresh_token" text null, add column "refresh_token_changed_at" timestamptz(3) null, add column "refresh_token_hard_expires_at" timestamptz(3) null, add column "reads_paused_until" timestamptz(3) null, add column "reads_pauses" int not null default 0, add column "writes_paused_until" timestamptz(3) null, add column "writes_pauses" int not null default 0;

create table "qbo_throttle" ("connection_id" text not null, "bucket" text not null, "next_at" timestamptz(3) not null, primary key ("connection_id", "bucket"));
alter table "qbo_throttle" add constraint "qbo_throttle_connection_id_foreign" foreign key ("connection_id") references "qbo_connection" ("id") on delete cascade;
alter table "qbo_throttle" add constraint "qbo_throttle_bucket_check" check ("bucket" in ('CALL', 'BATCH'));

create table "qbo_usage" ("connection_id" text not null, "month" date not null, "reads" int not null default 0, "writes" int not null default 0, primary key ("connection_id", "month"));
alter table "qbo_usage" add constraint "qbo_usage_connection_id_foreign" foreign key ("connection_id") references "qbo_connection" ("id") on delete cascade;
alter table "qbo_usage" add constraint "qbo_usage_month_valid" check (extract(day from month) = 1);
alter table "qbo_usage" add constraint "qbo_usage_counts_valid" check (reads >= 0 and writes >= 0);
`);
  }
}
