import { Migration } from '@mikro-orm/migrations';

/** Operations tell when they were really sent last, and a lease no longer says when the background goes on. */
export class RealSendingsMigration extends Migration {
  override up(): void {
    // A lease of an unknown one can have been such a wait: what a real one could still last is left of it.
    this.addSql(`
alter table "provider_operation" add column "resume_at" timestamptz(3) null, add column "last_sent_at" timestamptz(3) null;
update "provider_operation" set "last_sent_at" = case when "attempts" > 1 then "updated_at" else "first_sent_at" end
where "state" in ('IN_FLIGHT', 'UNKNOWN');
update "provider_operation" set "resume_at" = "lease_until", "lease_until" = least("lease_until", "updated_at" + interval '3 minutes')
where "state" = 'UNKNOWN';
`);
  }
}
