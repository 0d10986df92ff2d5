import type { Evidence, Row } from './evidence.js';

export interface Order {
  readonly row: Row;
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

export async function readLedger({ sql, conferenceId, books, told }: Evidence): Promise<Ledger> {
  const orders = await sql('select * from purchase_order where conference_id = $1 order by id', [conferenceId]);
  const ids = orders.map((order) => order.id);
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
  return {
    orders: orders.map((row) => ({
      row,
      invoices: invoices.filter((invoice) => invoice.purchase_order_id === row.id),
      payments: payments.filter((payment) => payment.purchase_order_id === row.id),
      credits: credits.filter((credit) => credit.purchase_order_id === row.id),
    })),
    connections: await sql('select * from qbo_connection where realm_id = $1', [books.realmId]),
    operations: await sql(
      'select operation.* from provider_operation operation join qbo_connection c on c.id = qbo_connection_id where realm_id = $1',
      [books.realmId],
    ),
    events: await sql('select * from webhook_event where company_id = $1', [books.realmId]),
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

export function sumOfStanding(rows: readonly Row[]): bigint {
  return rows.filter(isStanding).reduce((sum, row) => sum + BigInt(String(row.amount_minor)), 0n);
}

export function isStanding(row: Row): boolean {
  return row.reversed !== true;
}
