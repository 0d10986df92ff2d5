import { Migration } from '@mikro-orm/migrations';

/** Operations know who asked for them, so that the audit trail names them also when the background comes to the end. */
export class OperationRequestersMigration extends Migration {
  override up(): void {
    this.addSql(`alter table "provider_operation" add column "requested_by" jsonb null;`);
  }
}
