import { Migration } from '@mikro-orm/migrations';

/** A void says what it is for. Until now one was for the switch of its order, if there was one, else for a cancellation. */
export class VoidPurposesMigration extends Migration {
  override up(): void {
    this.addSql(`
alter table "provider_operation" add column "purpose" text null;
alter table "provider_operation" add constraint "provider_operation_purpose_check" check ("purpose" in ('CANCEL', 'SWITCH'));
update "provider_operation" voiding set "purpose" = case when exists (
  select from "invoice" join "provider_operation" switching on switching."subject" = "invoice"."purchase_order_id"
  where "invoice"."id" = voiding."subject" and switching."kind" = 'SWITCH_PROVIDER'
    and switching."state" in ('CLAIMED', 'IN_FLIGHT', 'UNKNOWN')) then 'SWITCH' else 'CANCEL' end
where "kind" = 'VOID_INVOICE' and "state" in ('CLAIMED', 'IN_FLIGHT', 'UNKNOWN');
`);
  }
}
