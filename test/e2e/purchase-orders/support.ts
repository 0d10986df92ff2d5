import { eventually } from '../../support/eventually.js';
import type { Data } from '../../support/graphql-client.js';
import type { TestApp } from '../../support/test-app.js';

const TABLES = [
  'conference',
  'purchase_order',
  'line_item',
  'payment',
  'payment_reversal',
  'credit_note',
  'invoice',
  'client_idempotency_key',
  'audit_event',
];

/** Every row of every table that a mutation could change: equal before and after means that nothing happened. */
export async function everything({ sql }: TestApp): Promise<Record<string, Data[]>> {
  const tables: Record<string, Data[]> = {};
  for (const table of TABLES) tables[table] = await sql(`select * from ${table} order by id`);
  return tables;
}

export async function countOf({ sql }: TestApp, table: string): Promise<number> {
  const [row] = await sql<{ count: number }>(`select count(*)::int as count from ${table}`);
  return row?.count ?? -1;
}

/** The trail of a subject, oldest first. */
export async function auditTrail({ sql }: TestApp, subject: string): Promise<Data[]> {
  return sql('select actor, action, before, after from audit_event where subject = $1 order by id', [subject]);
}

let conferences = 0;

export async function createConference(
  { graphql }: Pick<TestApp, 'graphql'>,
  fields: Record<string, unknown> = {},
): Promise<{ id: string; slug: string }> {
  conferences += 1;
  const input = {
    name: `Conference ${conferences}`,
    slug: `conference-${conferences}`,
    currencyCode: 'USD',
    ...fields,
  };
  const { conference, userErrors } = await graphql.mutate('createConference', input, 'conference { id slug }');
  if (!conference) throw new Error(`no conference was created: ${JSON.stringify(userErrors)}`);
  return conference;
}

/** Invoices an order and waits until QuickBooks' own notice of that is dealt with: afterwards nothing moves by itself. */
export async function invoiceOrder(server: TestApp, purchaseOrderId: string): Promise<void> {
  const created = await server.graphql.mutate(
    'createQboInvoice',
    { purchaseOrderId },
    'purchaseOrder { qboInvoiceId }',
  );
  if (created.userErrors.length > 0) throw new Error(`no invoice: ${JSON.stringify(created.userErrors)}`);
  await noticesDealtWith(server, created.purchaseOrder.qboInvoiceId, 1);
}

/** Waits until so many notices of QuickBooks about the invoice have come, and all are dealt with. */
export async function noticesDealtWith({ sql }: TestApp, qboInvoiceId: string, least: number): Promise<void> {
  await eventually(
    () => sql<{ state: string }>('select state from webhook_event where entity_id = $1', [qboInvoiceId]),
    (events) => events.length >= least && events.every(({ state }) => !['RECEIVED', 'PROCESSING'].includes(state)),
  );
}
