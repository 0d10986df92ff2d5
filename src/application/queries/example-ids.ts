import type { EntityManager } from '@mikro-orm/postgresql';

/** The newest purchase order without an invoice, and its conference, else the first one: for examples to begin with. */
export async function findExampleIds(em: EntityManager): Promise<{ conferenceId?: string; purchaseOrderId?: string }> {
  const [row] = await em.execute<{ conference_id: string; purchase_order_id: string | null }[]>(
    `select conference.id as conference_id, purchase_order.id as purchase_order_id
     from conference left join purchase_order
       on purchase_order.conference_id = conference.id
       and not exists (select from invoice where invoice.purchase_order_id = purchase_order.id)
     order by purchase_order.created_at desc nulls last, conference.created_at, conference.id limit 1`,
  );
  if (!row) return {};
  const conferenceId = row.conference_id;
  return row.purchase_order_id === null ? { conferenceId } : { conferenceId, purchaseOrderId: row.purchase_order_id };
}
