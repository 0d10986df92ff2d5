import { Migration } from '@mikro-orm/migrations';

/** The id of an operation's last request is no longer only Intuit's. */
export class ProviderRequestIdMigration extends Migration {
  override up(): void {
    this.addSql('alter table "provider_operation" rename column "intuit_tid" to "provider_request_id"');
  }
}
