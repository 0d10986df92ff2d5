import { Migration } from '@mikro-orm/migrations';

/** Conferences have something to print at the head of documents. */
export class LetterheadMigration extends Migration {
  override up(): void {
    this.addSql(`alter table "conference" add column "letterhead" text not null default '';`);
  }
}
