import { type Evidence, type Finding, finding, type Row, type StripeEvidence } from './evidence.js';
import { auditHistory } from './history.js';
import { atProvider, type Ledger, type Order, readLedger } from './ledger.js';
import { auditAskedOf, auditCreated, auditEmails, auditTold } from './promises.js';
import { auditBulks } from './quickbooks/bulk.js';
import { auditInvoices, auditTotals, liveInvoices } from './quickbooks/invoices.js';
import { auditRefunds, auditRests, auditShares } from './quickbooks/money.js';
import { auditStatus, auditSums, auditTotal } from './status.js';
import { auditStripeInvoices, liveStripeInvoices } from './stripe/invoices.js';
import { auditStripeMoney } from './stripe/money.js';

// Judges what a story left behind. It shares nothing with the app: it reads plain SQL and the simulators' books, and
// every rule is written here a second time, in its own words.

export async function audit(evidence: Evidence): Promise<Finding[]> {
  const ledger = await readLedger(evidence);
  return [
    ...ledger.orders.flatMap((order) => [
      ...auditLiveInvoices(order, evidence),
      ...auditAtQuickBooks(atProvider(order, 'QBO'), ledger, evidence),
      ...(evidence.stripe ? auditAtStripe(atProvider(order, 'STRIPE'), evidence.stripe) : []),
      ...auditTotal(order, evidence),
      ...auditStatus(order),
      ...auditSums(order),
      ...auditAskedOf(order, evidence.asked),
    ]),
    ...auditCreated(ledger, evidence),
    ...auditCustomers(evidence.books.customers.map(({ DisplayName }) => DisplayName)),
    ...auditCustomers(evidence.stripe?.books.customers.map(({ name }) => name ?? '') ?? []),
    ...auditConnection(ledger),
    ...auditOpenWork(ledger),
    ...auditTold(ledger, evidence),
    ...ledger.orders.flatMap((order) => auditEmails(order, evidence)),
    ...(await auditBulks(ledger, evidence)),
    ...(await auditHistory(evidence)),
  ];
}

function auditAtQuickBooks(order: Order, ledger: Ledger, evidence: Evidence): Finding[] {
  const { books } = evidence;
  return [
    ...auditInvoices(order, books),
    ...auditTotals(order, evidence),
    ...auditShares(order, books),
    ...auditRests(order, ledger, books),
    ...auditRefunds(order, ledger, books),
  ];
}

function auditAtStripe(order: Order, evidence: StripeEvidence): Finding[] {
  return [...auditStripeInvoices(order, evidence.books), ...auditStripeMoney(order, evidence)];
}

/** What buyers could pay, at one provider or the other. */
function auditLiveInvoices({ row }: Order, { books, stripe }: Evidence): Finding[] {
  const atQuickBooks = liveInvoices(String(row.reference), books);
  const atStripe = stripe ? liveStripeInvoices(String(row.id), stripe.books) : [];
  const live = [...atQuickBooks, ...atStripe];
  const findings: Finding[] = [];
  if (live.length > 1) {
    findings.push(finding('duplicate', `${row.reference} has ${live.length} live invoices: ${live.join(', ')}`));
  }
  const target = stripe?.switched.get(String(row.id));
  const elsewhere = target === 'QBO' ? atStripe : target === 'STRIPE' ? atQuickBooks : [];
  if (elsewhere.length > 0) {
    findings.push(finding('loss', `${row.reference} was switched to ${target}, and has ${elsewhere.join(', ')}`));
  }
  return findings;
}

/** Each organisation of a story is one customer, unless the name was taken by somebody else beforehand. */
function auditCustomers(names: readonly string[]): Finding[] {
  const byName = Map.groupBy(names, (name) => name.replace(/ \(.*$/, '').toLowerCase());
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
