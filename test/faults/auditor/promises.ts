import { minor } from './amounts.js';
import { type Asked, type Evidence, type Finding, finding, type Row, type Told } from './evidence.js';
import { atProvider, type Ledger, type Order } from './ledger.js';

/** Nothing is recorded more often, or over another amount, than clients asked for. */
export function auditAskedOf({ row, payments, credits }: Order, asked: readonly Asked[]): Finding[] {
  const amountsAsked = (call: string) =>
    asked
      .filter((each) => each.call === call && each.orderId === row.id)
      .map(({ amount = '' }) => `${minor(amount, String(row.currency_code))}`);
  const manual = (rows: readonly Row[]) =>
    rows.filter((each) => each.provider_payment_id === null).map((each) => String(each.amount_minor));
  return [
    ...beyond(manual(payments), amountsAsked('recordPayment')).map((amount) =>
      finding('duplicate', `${row.reference}: a payment over ${amount} was recorded more often than asked for`),
    ),
    ...beyond(manual(credits), amountsAsked('issueCreditNote')).map((amount) =>
      finding('duplicate', `${row.reference}: a credit over ${amount} was issued more often than asked for`),
    ),
  ];
}

function beyond(found: readonly string[], asked: readonly string[]): string[] {
  const left = [...asked];
  return found.filter((amount) => {
    const index = left.indexOf(amount);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}

/** Counts what was made, also of what is gone again. What a bookkeeper deleted in time, nobody here may have heard of. */
export function auditCreated({ orders }: Ledger, { asked, books }: Evidence): Finding[] {
  const ordered = asked.filter(({ call }) => call === 'createPurchaseOrder').length;
  const invoices = orders.flatMap((order) => atProvider(order, 'QBO').invoices);
  const known = new Set(invoices.map((invoice) => invoice.external_id));
  known.delete(null);
  for (const { entity, id } of books.deleted) if (entity === 'Invoice') known.add(id);
  const findings: Finding[] = [];
  if (orders.length > ordered) {
    findings.push(finding('duplicate', `${ordered} purchase orders were asked for, there are ${orders.length}`));
  }
  if (Number(books.created.Invoice) !== known.size) {
    findings.push(finding('duplicate', `${books.created.Invoice} invoices were made, ${known.size} are known`));
  }
  return findings;
}

export function auditTold(ledger: Ledger, { told }: Evidence): Finding[] {
  const orders = new Map(ledger.orders.map((order) => [order.row.id, order]));
  return [...told.flatMap((each) => auditPromise(each, orders)), ...auditKeys(ledger, told)];
}

function auditPromise(each: Told, orders: ReadonlyMap<unknown, Order>): Finding[] {
  const order = orders.get(each.orderId ?? each.id);
  const payment = [...orders.values()].flatMap(({ payments }) => payments).find(({ id }) => id === each.id);
  switch (each.call) {
    case 'createPurchaseOrder':
      return order ? [] : [finding('loss', `purchase order ${each.id} was confirmed and is not there`)];
    case 'createQboInvoice':
      return auditPromisedInvoice(order, 'QBO');
    case 'createStripeInvoice':
      return auditPromisedInvoice(order, 'STRIPE');
    case 'switchInvoiceProvider':
      return auditPromisedInvoice(order, each.provider ?? 'STRIPE');
    case 'recordPayment':
      return payment ? [] : [finding('loss', `payment ${each.id} was confirmed and is not there`)];
    case 'reversePayment':
      return payment?.reversed === true ? [] : [finding('loss', `payment ${each.id} was reversed and is not`)];
    case 'issueCreditNote':
      if (order?.credits.some(({ id }) => id === each.id)) return [];
      return [finding('loss', `credit note ${each.id} was confirmed and is not there`)];
    case 'sendPurchaseOrder':
      return order?.row.sent_at ? [] : [finding('loss', `${order?.row.reference} was sent and is not`)];
    case 'cancelPurchaseOrder':
      return order?.row.cancelled_at ? [] : [finding('loss', `${order?.row.reference} was cancelled and is not`)];
    default:
      return [];
  }
}

function auditPromisedInvoice(order: Order | undefined, provider: 'QBO' | 'STRIPE'): Finding[] {
  if (order && atProvider(order, provider).invoices.some((invoice) => invoice.external_id !== null)) return [];
  return [finding('loss', `an invoice of ${order?.row.reference} at ${provider} was confirmed and is not there`)];
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
export function auditEmails(order: Order, evidence: Evidence): Finding[] {
  const { books, stripe } = evidence;
  const byQuickBooks = books.emails.map(({ invoiceId }) => invoiceId);
  return [
    ...compareEmails(atProvider(order, 'QBO'), byQuickBooks, 'sendQboInvoice', evidence),
    ...(stripe
      ? compareEmails(
          atProvider(order, 'STRIPE'),
          stripe.books.emails.map(({ invoice }) => invoice),
          'sendStripeInvoice',
          evidence,
        )
      : []),
  ];
}

/** `emailed`: the invoice of each e-mail. */
function compareEmails(
  { row, invoices }: Order,
  emailed: readonly string[],
  call: string,
  { asked, told }: Evidence,
): Finding[] {
  const own = new Set(invoices.map((invoice) => invoice.external_id));
  const sent = emailed.filter((id) => own.has(id)).length;
  const wanted = asked.filter((each) => each.call === call && each.orderId === row.id).length;
  if (sent > wanted + 1)
    return [finding('duplicate', `${row.reference} was e-mailed ${sent} times, asked for ${wanted}`)];
  const isPromised = told.some((each) => each.call === call && each.orderId === row.id);
  return isPromised && sent === 0 ? [finding('loss', `${row.reference} was never e-mailed`)] : [];
}
