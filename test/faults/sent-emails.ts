import { z } from 'zod';
import type { Evidence } from './auditor.js';
import type { Stage } from './stage.js';

const log = z.object({
  requests: z.array(
    z.object({ path: z.string(), status: z.number().nullable(), replayed: z.boolean(), fault: z.string().nullable() }),
  ),
});

/** How often QuickBooks e-mailed the invoices of each purchase order, by the simulator's own log. */
export async function sentEmails({ system, realmId, orders }: Stage): Promise<Evidence['emails']> {
  const { requests } = log.parse(await system.control('GET', `/requests?realmId=${realmId}`));
  const sends = requests.filter(
    ({ path, status, replayed, fault }) => path.endsWith('/send') && status === 200 && !replayed && fault === null,
  );
  const invoices = await system.sql(
    'select purchase_order_id, external_id from invoice where purchase_order_id = any ($1)',
    [orders.map(({ id }) => id)],
  );
  return orders.map(({ id, emailsAsked }) => {
    const own = invoices.filter((invoice) => invoice.purchase_order_id === id).map((invoice) => invoice.external_id);
    const sent = sends.filter(({ path }) => own.some((externalId) => path.includes(`/invoice/${externalId}/`))).length;
    return { orderId: id, asked: emailsAsked, sent };
  });
}
