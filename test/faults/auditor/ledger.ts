import type { Evidence, Row, StripeEvidence } from './evidence.js';

export interface Order {
  readonly row: Row;
  readonly lines: readonly Row[];
  readonly invoices: readonly Row[];
  /** With `reversed`. */
  readonly payments: readonly Row[];
  /** With `reversed`. */
  readonly credits: readonly Row[];
}

export interface Ledger {
  readonly orders: readonly Order[];
  readonly connections: readonly Row[];
  readonly operations: readonly Row[];
  readonly events: readonly Row[];
  readonly keys: readonly Row[];
  readonly providerPayments: readonly Row[];
  readonly refundNotes: readonly Row[];
}

export async function readLedger({ sql, conferenceId, books, told, stripe }: Evidence): Promise<Ledger> {
  const orders = await sql('select * from purchase_order where conference_id = $1 order by id', [conferenceId]);
  const ids = orders.map((order) => order.id);
  const lines = await sql('select * from line_item where purchase_order_id = any ($1) order by position', [ids]);
  const invoices = await sql('select * from invoice where purchase_order_id = any ($1)', [ids]);
  const payments = await sql(
    `select payment.*, paid_on::text as paid_day,
            exists (select from payment_reversal where payment_id = payment.id) as reversed
     from payment where purchase_order_id = any ($1) order by id`,
    [ids],
  );
  const credits = await sql(
    `select credit_note.*, exists (select from credit_note_reversal where credit_note_id = credit_note.id) as reversed
     from credit_note where purchase_order_id = any ($1) order by id`,
    [ids],
  );
  const ofStripe = stripe ? await readWork(sql, stripe) : { connections: [], operations: [], events: [] };
  return {
    orders: orders.map((row) => ({
      row,
      lines: lines.filter((line) => line.purchase_order_id === row.id),
      invoices: invoices.filter((invoice) => invoice.purchase_order_id === row.id),
      payments: payments.filter((payment) => payment.purchase_order_id === row.id),
      credits: credits.filter((credit) => credit.purchase_order_id === row.id),
    })),
    connections: [
      ...(await sql('select * from qbo_connection where realm_id = $1', [books.realmId])),
      ...ofStripe.connections,
    ],
    operations: [
      ...(await sql(
        'select operation.* from provider_operation operation join qbo_connection c on c.id = qbo_connection_id where realm_id = $1',
        [books.realmId],
      )),
      ...ofStripe.operations,
    ],
    events: [...(await sql('select * from webhook_event where company_id = $1', [books.realmId])), ...ofStripe.events],
    providerPayments: await sql('select * from provider_payment where company_id = $1', [`SANDBOX:${books.realmId}`]),
    refundNotes: await sql(
      `select subject, after ->> 'refundReceipt' as receipt, after ->> 'revision' as revision from audit_event
       where subject = any ($1) and action = 'refund_receipt.noted'`,
      [ids],
    ),
    keys: await sql('select * from client_idempotency_key where key = any ($1)', [
      told.flatMap(({ key }) => (key === undefined ? [] : [key])),
    ]),
  };
}

async function readWork(
  sql: Evidence['sql'],
  { connectionId }: StripeEvidence,
): Promise<Pick<Ledger, 'connections' | 'operations' | 'events'>> {
  return {
    connections: await sql('select * from stripe_connection where id = $1', [connectionId]),
    operations: await sql('select * from provider_operation where stripe_connection_id = $1', [connectionId]),
    events: await sql('select * from webhook_event where company_id = $1', [connectionId]),
  };
}

/** The order with the invoices of one provider alone. */
export function atProvider(order: Order, provider: 'QBO' | 'STRIPE'): Order {
  return { ...order, invoices: order.invoices.filter((invoice) => invoice.provider === provider) };
}

export function sumOfStanding(rows: readonly Row[]): bigint {
  return rows.filter(isStanding).reduce((sum, row) => sum + BigInt(String(row.amount_minor)), 0n);
}

export function isStanding(row: Row): boolean {
  return row.reversed !== true;
}
