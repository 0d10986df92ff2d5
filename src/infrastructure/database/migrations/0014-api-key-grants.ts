import { Migration } from '@mikro-orm/migrations';

/** API keys say what they grant, until when, and who made them; the keys from before are administrators. */
export class ApiKeyGrantsMigration extends Migration {
  override up(): void {
    this.addSql(`
alter table "api_key" add "prefix" text not null default '', add "kind" text not null default 'ADMINISTRATOR', add "purchase_order_id" text null, add "created_by" text not null default 'system', add "created_by_id" text not null default 'system', add "expires_at" timestamptz(3) null, add "last_used_at" timestamptz(3) null;
alter table "api_key" alter column "prefix" drop default, alter column "kind" drop default, alter column "created_by" drop default, alter column "created_by_id" drop default;
alter table "api_key" drop constraint "api_key_name_unique";
create unique index "api_key_one_live_configured" on "api_key" ("name") where revoked_at is null and created_by_id = 'system';
create index "api_key_created_by_id_index" on "api_key" ("created_by_id");
alter table "api_key" add constraint "api_key_purchase_order_id_foreign" foreign key ("purchase_order_id") references "purchase_order" ("id") on delete restrict;
create index "api_key_purchase_order_id_index" on "api_key" ("purchase_order_id");
alter table "api_key" add constraint "api_key_name_valid" check (name <> '' and length(name) <= 100);
alter table "api_key" add constraint "api_key_purchase_order_check" check ((kind = 'PURCHASE_ORDER') = (purchase_order_id is not null));
alter table "api_key" add constraint "api_key_kind_check" check ("kind" in ('ADMINISTRATOR', 'ROLES', 'PURCHASE_ORDER'));
create or replace function "api_key_api_key_is_fixed_fn"() returns trigger as $$ begin if (new.kind, new.purchase_order_id) is distinct from (old.kind, old.purchase_order_id)
    then raise exception 'what an API key grants never changes' using errcode = 'restrict_violation';
    end if;
    if old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at
    then raise exception 'a revoked API key stays revoked' using errcode = 'restrict_violation';
    end if;
    return new; end; $$ language plpgsql;
create trigger "api_key_is_fixed" BEFORE UPDATE on "api_key" for each ROW execute function "api_key_api_key_is_fixed_fn"();

create table "api_key_role" ("api_key_id" text not null, "conference_id" text not null, "role" text not null, "ended_at" timestamptz(3) null, primary key ("api_key_id", "conference_id"));
create index "api_key_role_conference_id_index" on "api_key_role" ("conference_id");
alter table "api_key_role" add constraint "api_key_role_api_key_id_foreign" foreign key ("api_key_id") references "api_key" ("id") on update cascade on delete restrict;
alter table "api_key_role" add constraint "api_key_role_conference_id_foreign" foreign key ("conference_id") references "conference" ("id") on update cascade on delete restrict;
alter table "api_key_role" add constraint "api_key_role_role_check" check ("role" in ('VIEWER', 'FINANCE', 'ORGANISER'));
create or replace function "api_key_role_api_key_role_of_kind_roles_fn"() returns trigger as $$ begin if not exists (select from api_key where id = new.api_key_id and kind = 'ROLES')
    then raise exception 'only an API key of the kind ROLES has roles' using errcode = 'restrict_violation';
    end if;
    return new; end; $$ language plpgsql;
create trigger "api_key_role_of_kind_roles" BEFORE INSERT on "api_key_role" for each ROW execute function "api_key_role_api_key_role_of_kind_roles_fn"();
create or replace function "api_key_role_api_key_role_is_fixed_fn"() returns trigger as $$ begin if tg_op = 'UPDATE' and old.ended_at is null
      and (new.api_key_id, new.conference_id, new.role) is not distinct from (old.api_key_id, old.conference_id, old.role)
    then return new;
    end if;
    raise exception 'what an API key grants never changes' using errcode = 'restrict_violation'; end; $$ language plpgsql;
create trigger "api_key_role_is_fixed" BEFORE UPDATE OR DELETE on "api_key_role" for each ROW execute function "api_key_role_api_key_role_is_fixed_fn"();
`);
  }
}
