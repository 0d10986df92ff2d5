import { Migration } from '@mikro-orm/migrations';

/** Tables whose rows refuse to be changed or deleted, and what to say of them. */
const APPEND_ONLY = {
  audit_event: 'audit events are append-only',
  payment: 'payments are append-only; insert a payment_reversal',
  payment_reversal: 'payment reversals are append-only',
  credit_note: 'credit notes are append-only',
  credit_note_reversal: 'credit note reversals are append-only',
};

/** The audit events of a purchase order form a chain. Those that are there are chained by the trigger itself. */
export class AuditChainMigration extends Migration {
  override up(): void {
    this.addSql(`
drop index "audit_event_subject_id_index";
alter table "audit_event" add "actor_id" text not null default 'unknown', add "actor_kind" text not null default 'API_KEY', add "provider_request_id" text null, add "position" int null, add "previous_hash" text null, add "hash" text null;
alter table "audit_event" alter column "actor_id" drop default, alter column "actor_kind" drop default;
alter table "audit_event" add constraint "audit_event_subject_position_unique" unique ("subject", "position");
alter table "audit_event" add constraint "audit_event_chain_check" check ((position is null) = (hash is null) and (previous_hash is not null) = (coalesce(position, 1) > 1) and position >= 1);
alter table "audit_event" add constraint "audit_event_actor_kind_check" check ("actor_kind" in ('API_KEY', 'USER', 'SYSTEM'));
create or replace function "audit_event_audit_event_extends_chain_fn"() returns trigger as $$ begin new.position := null;     new.previous_hash := null;     new.hash := null;     if starts_with(new.subject, 'po_') then
      perform from purchase_order where id = new.subject for no key update;       select head.position, head.hash into new.position, new.previous_hash
      from audit_event head where head.subject = new.subject order by head.position desc limit 1;       new.position := coalesce(new.position, 0) + 1;       new.hash := encode(sha256(convert_to(jsonb_build_array(
        new.position, new.previous_hash, new.id, new.actor_id, new.actor, new.actor_kind, new.action, new.subject,
        new.before::text, new.after::text, new.provider_request_id,
        to_char(new.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))::text, 'UTF8')), 'hex');     end if;     return new; end; $$ language plpgsql;
create trigger "audit_event_extends_chain" BEFORE INSERT on "audit_event" for each ROW execute function "audit_event_audit_event_extends_chain_fn"();

create temporary table "former_audit_event" as select * from "audit_event";
truncate "audit_event";
insert into "audit_event" ("id", "actor_id", "actor", "actor_kind", "action", "subject", "before", "after", "occurred_at")
select "id", case when "is_system" then 'system' else coalesce("key_id", 'unknown') end, "actor", case when "is_system" then 'SYSTEM' else 'API_KEY' end, "action", "subject", "before", "after", "occurred_at"
from (select *, "actor" in ('quickbooks', 'stripe') as "is_system" from "former_audit_event") as "event"
left join (select "name", min("id") as "key_id" from "api_key" group by "name" having count(*) = 1) as "key" on "name" = "actor"
order by "id";
drop table "former_audit_event";
`);
    for (const [table, message] of Object.entries(APPEND_ONLY)) {
      this.addSql(`
create function "${table}_is_never_truncated_fn"() returns trigger as $$ begin raise exception '${message}' using errcode = 'restrict_violation'; end; $$ language plpgsql;
create trigger "${table}_is_never_truncated" before truncate on "${table}" for each statement execute function "${table}_is_never_truncated_fn"();
`);
    }
  }
}
