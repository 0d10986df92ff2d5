import { type BookInvoice, type BookPayment, type Books, isVoided } from './books.js';

// Judges what a story left behind. It shares nothing with the app: it reads plain SQL and the simulator's books, and
// every rule is written here a second time, in its own words.

export type FindingKind = 'duplicate' | 'loss' | 'wrong amount' | 'stuck';

export interface Finding {
  readonly kind: FindingKind;
  readonly what: string;
}

/** What a client was told, so it can count on it. */
export interface Told {
  readonly call: string;
  readonly id: string;
  /** The idempotency key of the request, if it had one. */
  readonly key?: string;
  readonly orderId?: string;
}

export type Row = Readonly<Record<string, unknown>>;
export type Sql = (text: string, parameters?: readonly unknown[]) => Promise<Row[]>;

export interface Evidence {
  readonly sql: Sql;
  readonly books: Books;
  readonly conferenceId: string;
  readonly told: readonly Told[];
  /** How often an e-mail was asked for, by purchase order. */
  readonly emailsAsked: ReadonlyMap<string, number>;
  /** The append-only rows as they were before. */
  readonly earlier: ReadonlyMap<string, string>;
}

export async function audit(evidence: Evidence): Promise<Finding[]> {
  const ledger = await readLedger(evidence);
  return [
    ...ledger.orders.flatMap((order) => [
      ...auditInvoices(order, evidence.books),
      ...auditShares(order, evidence.books),
      ...auditStatus(order),
    ]),
    ...auditCustomers(evidence.books),
    ...auditConnection(ledger),
    ...auditOpenWork(ledger),
    ...auditTold(ledger, evidence),
    ...ledger.orders.flatMap((order) => auditEmails(order, evidence)),
    ...(await auditHistory(evidence)),
  ];
}

interface Order {
  readonly row: Row;
  readonly invoices: readonly Row[];
  /** With `reversed`. */
  readonly payments: readonly Row[];
  /** With `reversed`. */
  readonly credits: readonly Row[];
}

interface Ledger {
  readonly orders: readonly Order[];
  readonly connections: readonly Row[];
  readonly operations: readonly Row[];
  readonly events: readonly Row[];
  readonly keys: readonly Row[];
}

async function readLedger({ sql, conferenceId, books, told }: Evidence): Promise<Ledger> {
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
      'select operation.* from provider_operation operation join qbo_connection c on c.id = connection_id where realm_id = $1',
      [books.realmId],
    ),
    events: await sql('select * from webhook_event where company_id = $1', [books.realmId]),
    keys: await sql('select * from client_idempotency_key where key = any ($1)', [
      told.flatMap(({ key }) => (key === undefined ? [] : [key])),
    ]),
  };
}

function sumOfStanding(rows: readonly Row[]): bigint {
  return rows.filter(isStanding).reduce((sum, row) => sum + BigInt(String(row.amount_minor)), 0n);
}

function isStanding(row: Row): boolean {
  return row.reversed !== true;
}

function finding(kind: FindingKind, what: string): Finding {
  return { kind, what };
}

function auditInvoices({ row, invoices }: Order, books: Books): Finding[] {
  const reference = String(row.reference);
  const bearing = books.invoices.filter((invoice) => (invoice.PrivateNote ?? '').includes(reference));
  const live = bearing.filter((invoice) => !isVoided(invoice));
  const findings: Finding[] = [];
  if (live.length > 1)
    findings.push(finding('duplicate', `${reference} has ${live.length} live invoices: ${ids(live)}`));
  const known = new Set(invoices.map((invoice) => invoice.external_id));
  for (const { Id } of bearing) {
    if (!known.has(Id)) findings.push(finding('duplicate', `${reference}: nobody here knows of invoice ${Id}`));
  }
  return findings.concat(invoices.flatMap((invoice) => auditInvoice(reference, invoice, books)));
}

function ids(invoices: readonly BookInvoice[]): string {
  return invoices.map((invoice) => invoice.Id).join(', ');
}

function auditInvoice(reference: string, row: Row, books: Books): Finding[] {
  const id = row.external_id;
  if (id === null) return [finding('stuck', `${reference}: its invoice is ${row.status} and has no id`)];
  const invoice = books.invoices.find(({ Id }) => Id === id);
  if (!invoice) return auditVanishedInvoice(reference, row, books);
  const findings: Finding[] = [];
  if (!(invoice.PrivateNote ?? '').includes(reference)) {
    findings.push(finding('duplicate', `${reference}: invoice ${id} was adopted, but it is somebody else's`));
  }
  const expected = statusOfInvoice(invoice);
  if (row.status !== expected) {
    findings.push(finding('loss', `${reference}: invoice ${id} is ${expected}, here it is ${row.status}`));
  }
  const { value: currency } = invoice.CurrencyRef;
  const facts = [minor(invoice.TotalAmt, currency), minor(invoice.Balance, currency), currency].join(' ');
  const ours = [row.total_minor, row.balance_minor, row.currency_code].join(' ');
  if (facts !== ours) {
    findings.push(finding('wrong amount', `${reference}: invoice ${id} is over ${facts}, here over ${ours}`));
  }
  return findings;
}

function auditVanishedInvoice(reference: string, row: Row, books: Books): Finding[] {
  const wasDeleted = books.deleted.some(({ entity, id }) => entity === 'Invoice' && id === row.external_id);
  if (!wasDeleted) return [finding('loss', `${reference}: there is no invoice ${row.external_id}`)];
  if (row.status === 'DELETED') return [];
  return [finding('loss', `${reference}: invoice ${row.external_id} was deleted, here it is ${row.status}`)];
}

function statusOfInvoice(invoice: BookInvoice): string {
  if (isVoided(invoice)) return 'VOIDED';
  const { value: currency } = invoice.CurrencyRef;
  const balance = minor(invoice.Balance, currency);
  if (balance <= 0n) return 'PAID';
  return balance < minor(invoice.TotalAmt, currency) ? 'PARTIALLY_PAID' : 'OPEN';
}

const DECIMALS: Readonly<Record<string, number>> = { JPY: 0, KWD: 3 };

/** `12.5` dollars are 1250. */
export function minor(amount: string, currency: string): bigint {
  const decimals = DECIMALS[currency] ?? 2;
  const [, sign = '', whole = '0', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(amount) ?? [];
  const digits = fraction.padEnd(decimals, '0');
  if (/[^0]/.test(digits.slice(decimals))) throw new Error(`${amount} ${currency} is finer than the currency`);
  const value = BigInt(`${whole}${digits.slice(0, decimals)}`);
  return sign === '-' ? -value : value;
}

/** What one payment in the books did to one invoice. */
interface Share {
  readonly payment: string;
  readonly amount: bigint;
  /** Only of money. */
  readonly day?: string;
  readonly reference?: string;
}

function auditShares({ row, invoices, payments, credits }: Order, books: Books): Finding[] {
  return invoices.flatMap((invoice) => {
    const { external_id: id } = invoice;
    if (id === null) return [];
    const where = `${row.reference}, invoice ${id}`;
    const isOfInvoice = (booked: Row) => booked.provider_invoice_id === id && isStanding(booked);
    // In another currency than the order's it cannot be booked on the order.
    const isBookable = invoice.currency_code === row.currency_code;
    const applied = isBookable ? books.payments.filter((payment) => appliedTo(payment, id) > 0n) : [];
    const [money, credit] = [applied.filter(broughtMoney), applied.filter((payment) => !broughtMoney(payment))];
    return [
      ...compareShares(
        `${where}: payment`,
        money.map((each) => moneyOf(each, id)),
        payments.filter(isOfInvoice),
      ),
      ...compareShares(
        `${where}: credit`,
        credit.map((each) => creditOf(each, id)),
        credits.filter(isOfInvoice),
      ),
    ];
  });
}

function compareShares(what: string, expected: readonly Share[], booked: readonly Row[]): Finding[] {
  return [
    ...expected.flatMap((share) => compareShare(what, share, booked)),
    ...booked
      .filter((row) => !expected.some((share) => share.payment === row.provider_payment_id))
      .map((row) => finding('wrong amount', `${what} ${row.provider_payment_id} is booked but not there`)),
  ];
}

function compareShare(what: string, share: Share, booked: readonly Row[]): Finding[] {
  const rows = booked.filter((row) => row.provider_payment_id === share.payment);
  const [first] = rows;
  if (!first) return [finding('loss', `${what} ${share.payment} over ${share.amount} is not booked`)];
  const findings: Finding[] = [];
  if (rows.length > 1) findings.push(finding('duplicate', `${what} ${share.payment} is booked ${rows.length} times`));
  if (String(first.amount_minor) !== `${share.amount}`) {
    findings.push(finding('wrong amount', `${what} ${share.payment} is ${share.amount}, booked ${first.amount_minor}`));
  }
  const isMoney = share.day !== undefined;
  if (isMoney && (first.paid_day !== share.day || first.reference !== share.reference)) {
    const ours = `${first.paid_day} ${first.reference}`;
    findings.push(
      finding('wrong amount', `${what} ${share.payment} is of ${share.day} ${share.reference}, here ${ours}`),
    );
  }
  return findings;
}

/** No story mixes money with credit memos in one payment: one that brought no money applied only credit. */
function broughtMoney({ TotalAmt, CurrencyRef }: BookPayment): boolean {
  return minor(TotalAmt, CurrencyRef.value) !== 0n;
}

function moneyOf(payment: BookPayment, invoiceId: unknown): Share {
  return { ...creditOf(payment, invoiceId), day: payment.TxnDate, reference: payment.PaymentRefNum ?? payment.Id };
}

function creditOf(payment: BookPayment, invoiceId: unknown): Share {
  return { payment: payment.Id, amount: appliedTo(payment, invoiceId) };
}

function appliedTo(payment: BookPayment, invoiceId: unknown): bigint {
  return payment.Line.filter((line) => line.LinkedTxn.some((link) => isInvoice(link, invoiceId))).reduce(
    (sum, line) => sum + minor(line.Amount, payment.CurrencyRef.value),
    0n,
  );
}

function isInvoice(link: { readonly TxnId: string; readonly TxnType: string }, id: unknown): boolean {
  return link.TxnType === 'Invoice' && link.TxnId === id;
}

function auditStatus(order: Order): Finding[] {
  const expected = statusOfOrder(order);
  if (order.row.status === expected) return [];
  return [finding('wrong amount', `${order.row.reference} should be ${expected}, and is ${order.row.status}`)];
}

function statusOfOrder({ row, payments, credits, invoices }: Order): string {
  if (row.cancelled_at !== null) return 'CANCELLED';
  const paid = sumOfStanding(payments);
  const due = BigInt(String(row.total_minor)) - paid - sumOfStanding(credits);
  if (due < 0n) return 'OVERPAID';
  if (due === 0n) return 'PAID';
  if (paid > 0n) return 'PARTIALLY_PAID';
  return row.sent_at === null && invoices.length === 0 ? 'DRAFT' : 'SENT';
}

/** Each organisation of a story is one customer, unless the name was taken by somebody else beforehand. */
function auditCustomers({ customers }: Books): Finding[] {
  const byName = Map.groupBy(customers, ({ DisplayName }) => DisplayName.replace(/ \(.*$/, '').toLowerCase());
  return [...byName].flatMap(([name, same]) =>
    same.length > 1 ? [finding('duplicate', `there are ${same.length} customers named ${name}`)] : [],
  );
}

function auditConnection({ connections }: Ledger): Finding[] {
  return connections
    .filter((connection) => connection.status !== 'CONNECTED')
    .map((connection) => finding('stuck', `the connection is ${connection.status}`));
}

function auditOpenWork({ operations, events }: Ledger): Finding[] {
  return [
    ...operations
      .filter(({ state }) => !['DONE', 'REFUSED'].includes(String(state)))
      .map((operation) => finding('stuck', describeOperation(operation))),
    ...events
      .filter(({ state }) => !['DONE', 'IGNORED'].includes(String(state)))
      .map((event) => finding('stuck', `${event.operation} ${event.entity} is ${event.state}: ${event.last_error}`)),
  ];
}

function describeOperation({ kind, subject, state, attempts, last_error: error }: Row): string {
  return `${kind} of ${subject} is ${state} after ${attempts} attempts: ${error}`;
}

function auditTold(ledger: Ledger, { told }: Evidence): Finding[] {
  const orders = new Map(ledger.orders.map((order) => [order.row.id, order]));
  const payments = new Set(ledger.orders.flatMap((order) => order.payments.map((payment) => payment.id)));
  return [...told.flatMap((each) => auditPromise(each, orders, payments)), ...auditKeys(ledger, told)];
}

function auditPromise(each: Told, orders: ReadonlyMap<unknown, Order>, payments: ReadonlySet<unknown>): Finding[] {
  const order = orders.get(each.orderId ?? each.id);
  switch (each.call) {
    case 'createPurchaseOrder':
      return order ? [] : [finding('loss', `purchase order ${each.id} was confirmed and is not there`)];
    case 'createQboInvoice':
      if (order?.invoices.some((invoice) => invoice.external_id !== null)) return [];
      return [finding('loss', `an invoice of ${order?.row.reference} was confirmed and is not there`)];
    case 'recordPayment':
      return payments.has(each.id) ? [] : [finding('loss', `payment ${each.id} was confirmed and is not there`)];
    case 'cancelPurchaseOrder':
      return order?.row.cancelled_at ? [] : [finding('loss', `${order?.row.reference} was cancelled and is not`)];
    default:
      return [];
  }
}

/** Whoever repeated a key was told of one and the same thing. */
function auditKeys({ keys }: Ledger, told: readonly Told[]): Finding[] {
  const answers = Map.groupBy(
    told.filter(({ key }) => key !== undefined),
    ({ call, key }) => `${call} ${key}`,
  );
  const findings = [...answers].flatMap(([request, same]) =>
    new Set(same.map(({ id }) => id)).size > 1
      ? [finding('duplicate', `${request} made ${new Set(same.map(({ id }) => id)).size} things`)]
      : [],
  );
  const byKey = Map.groupBy(keys, ({ actor, mutation, key }) => `${actor} ${mutation} ${key}`);
  for (const [key, same] of byKey)
    if (same.length > 1) findings.push(finding('duplicate', `key ${key} is there twice`));
  return findings;
}

/** A lost answer may make one e-mail too many, never two. */
function auditEmails({ row, invoices }: Order, { books, emailsAsked, told }: Evidence): Finding[] {
  const own = new Set(invoices.map((invoice) => invoice.external_id));
  const sent = books.emails.filter(({ invoiceId }) => own.has(invoiceId)).length;
  const asked = emailsAsked.get(String(row.id)) ?? 0;
  if (sent > asked + 1)
    return [finding('duplicate', `${row.reference} was e-mailed ${sent} times, asked for ${asked}`)];
  const isPromised = told.some((each) => each.call === 'sendQboInvoice' && each.orderId === row.id);
  return isPromised && sent === 0 ? [finding('loss', `${row.reference} was never e-mailed`)] : [];
}

const HISTORY = `
  with orders as (select id from purchase_order where conference_id = $1)
  select 'payment ' || id as id, md5(payment::text) as content from payment
    where purchase_order_id in (select id from orders)
  union all select 'payment_reversal ' || id, md5(payment_reversal::text) from payment_reversal
    where payment_id in (select id from payment where purchase_order_id in (select id from orders))
  union all select 'credit_note ' || id, md5(credit_note::text) from credit_note
    where purchase_order_id in (select id from orders)
  union all select 'credit_note_reversal ' || id, md5(credit_note_reversal::text) from credit_note_reversal
    where credit_note_id in (select id from credit_note where purchase_order_id in (select id from orders))
  union all select 'audit_event ' || id, md5(audit_event::text) from audit_event
    where subject in (select id from orders)`;

/** The append-only rows of a conference, as they are now. */
export async function readHistory(sql: Sql, conferenceId: string): Promise<Map<string, string>> {
  const rows = await sql(HISTORY, [conferenceId]);
  return new Map(rows.map(({ id, content }) => [String(id), String(content)]));
}

async function auditHistory({ sql, conferenceId, earlier }: Evidence): Promise<Finding[]> {
  const now = await readHistory(sql, conferenceId);
  return [...earlier].flatMap(([id, content]) => {
    const current = now.get(id);
    if (current === undefined) return [finding('loss', `${id} was deleted`)];
    return current === content ? [] : [finding('wrong amount', `${id} was changed`)];
  });
}
