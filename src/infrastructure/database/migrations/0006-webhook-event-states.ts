import { Migration } from '@mikro-orm/migrations';

/** Events that are being worked on are marked; lists, retention and their indexes. */
export class WebhookEventStatesMigration extends Migration {
  override up(): void {
    // Malformed elements were stored as IGNORED without a time.
    this.addSql(`
update "webhook_event" set "processed_at" = "received_at" where "state" in ('DONE', 'IGNORED') and "processed_at" is null;

alter table "webhook_event" drop constraint "webhook_event_state_check";
alter table "webhook_event" add constraint "webhook_event_state_check" check ("state" in ('RECEIVED', 'PROCESSING', 'DONE', 'IGNORED', 'DEAD'));
alter table "webhook_event" add constraint "webhook_event_processed_check" check ((state in ('DONE', 'IGNORED')) = (processed_at is not null));
alter table "webhook_event" add constraint "webhook_event_attempts_valid" check (attempts >= 0);

drop index "webhook_event_pending";
create index "webhook_event_pending" on "webhook_event" ("provider", "company_id", "received_at", "id") where state in ('RECEIVED', 'PROCESSING');
drop index "webhook_event_dead";
create index "webhook_event_dead" on "webhook_event" ("received_at", "id") where state = 'DEAD';
create index "webhook_event_finished" on "webhook_event" ("processed_at") where state in ('DONE', 'IGNORED');
create index "webhook_event_received_at_id_index" on "webhook_event" ("received_at", "id");
create index "webhook_event_company_id_received_at_id_index" on "webhook_event" ("company_id", "received_at", "id");
`);
  }
}
