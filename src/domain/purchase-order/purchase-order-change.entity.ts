import { Routine } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/**
 * That a transaction changed what is seen of a purchase order; one row, however much it changed. Triggers write it, and
 * tell who listens. It says nothing of the change: who is told of it reads the purchase order.
 */
@Entity({ tableName: 'purchase_order_change' })
@Index({ properties: ['conferenceId', 'xid'] })
// For those who forget old ones.
@Index({ properties: ['changedAt'] })
export class PurchaseOrderChange {
  @PrimaryKey({ type: 'text' })
  purchaseOrderId!: string;

  /** The transaction. Its number is no order of commits: what is new is told by comparing snapshots. */
  @PrimaryKey({ type: 'string', columnType: 'xid8' })
  xid!: string;

  @Property({ type: 'text' })
  conferenceId!: string;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  changedAt!: Date;
}

/** Told to whoever listens on the channel `change`: the ids of what changed, separated by a space. */
export const notePurchaseOrderChange = new Routine({
  name: 'note_purchase_order_change',
  type: 'function',
  language: 'plpgsql',
  params: { changed_id: { type: 'text' } },
  returns: { runtimeType: 'any', columnType: 'void' },
  body: `insert into purchase_order_change (purchase_order_id, xid, conference_id, changed_at)
      select id, pg_current_xact_id(), conference_id, clock_timestamp() from purchase_order where id = changed_id
      on conflict do nothing;
    if found then
      perform pg_notify('change', id || ' ' || conference_id) from purchase_order where id = changed_id;
    end if;`,
});

/** The body of a trigger that notes a change of the purchase order with this id, which is an SQL expression. */
export function noteChangeOf(purchaseOrderId: string): string {
  return `perform note_purchase_order_change(${purchaseOrderId}); return null;`;
}
