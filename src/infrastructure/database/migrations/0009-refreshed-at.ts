import { Migration } from '@mikro-orm/migrations';

/** When an access token was refreshed, which tells a new one that QuickBooks refuses from one that has had its time. */
export class RefreshedAtMigration extends Migration {
  override up(): void {
    this.addSql('alter table "qbo_connection" add column "refreshed_at" timestamptz(3) null');
  }
}
