import { Entity, Enum, Index, PrimaryKey, Property, Trigger } from '@mikro-orm/decorators/legacy';
import { ActorKind } from '../audit/actor.js';

/** Purchase orders that somebody asked to have invoiced in one go. The background works its items off. */
@Entity({ tableName: 'bulk_invoicing' })
@Index({
  name: 'bulk_invoicing_unfinished',
  expression: `create index "bulk_invoicing_unfinished" on "bulk_invoicing" ("created_at") where finished_at is null`,
})
@Trigger({
  name: 'bulk_invoicing_is_told',
  timing: 'after',
  events: ['update'],
  body: `perform pg_notify('change', new.id); return null;`,
})
export class BulkInvoicing {
  @PrimaryKey({ type: 'text' })
  id!: string;

  /** Who asked, in whose name the invoices are made. */
  @Property({ type: 'text' })
  actorId!: string;

  @Property({ type: 'text' })
  actorName!: string;

  @Enum({ items: () => ActorKind, columnType: 'text' })
  actorKind!: ActorKind;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  createdAt!: Date;

  /** When its last item got its result. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  finishedAt: Date | null = null;
}
