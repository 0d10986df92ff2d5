import type { Books } from '../books.js';
import { type Evidence, type Finding, finding, type Row } from './evidence.js';
import { auditHistory } from './history.js';
import { auditInvoices, auditTotals } from './invoices.js';
import { type Ledger, readLedger } from './ledger.js';
import { auditRefunds, auditRests, auditShares, auditStatus } from './money.js';
import { auditAskedOf, auditCreated, auditEmails, auditTold } from './promises.js';

// Judges what a story left behind. It shares nothing with the app: it reads plain SQL and the simulator's books, and
// every rule is written here a second time, in its own words.

export async function audit(evidence: Evidence): Promise<Finding[]> {
  const ledger = await readLedger(evidence);
  return [
    ...ledger.orders.flatMap((order) => [
      ...auditInvoices(order, evidence.books),
      ...auditTotals(order, evidence),
      ...auditShares(order, evidence.books),
      ...auditRests(order, ledger, evidence.books),
      ...auditRefunds(order, ledger, evidence.books),
      ...auditStatus(order),
      ...auditAskedOf(order, evidence.asked),
    ]),
    ...auditCreated(ledger, evidence),
    ...auditCustomers(evidence.books),
    ...auditConnection(ledger),
    ...auditOpenWork(ledger),
    ...auditTold(ledger, evidence),
    ...ledger.orders.flatMap((order) => auditEmails(order, evidence)),
    ...(await auditHistory(evidence)),
  ];
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
