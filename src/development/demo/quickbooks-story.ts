import type { QuickBooksSimulator } from '../../simulators/quickbooks/simulator.js';
import { callControl } from '../local-simulators.js';
import { countCalls, type DemoServer, expect, type Order, say } from './demo-server.js';

/** The main job through QuickBooks. Plays the organiser, the buyer and the bookkeeper. */
export async function playQuickBooks(
  server: DemoServer,
  simulator: QuickBooksSimulator,
): Promise<Record<string, unknown>> {
  const created = await server.createOrder();
  const purchaseOrderId = created.id;
  say(`1. Purchase order ${created.reference} over ${created.total.amount} USD: ${created.status}`);
  expect(created.status, 'DRAFT', 'the new order');
  const callsBefore = await countCalls(simulator);

  const invoiced = await server.mutate('createQboInvoice', { purchaseOrderId });
  say(`2. QuickBooks invoice ${invoiced.qboInvoice?.docNumber} (id ${invoiced.qboInvoice?.id}): ${invoiced.status}`);
  expect(invoiced.status, 'SENT', 'the invoiced order');

  const sent = await server.mutate('sendQboInvoice', { purchaseOrderId });
  say(`3. QuickBooks e-mailed it: ${sent.qboInvoice?.emailStatus}`);
  expect(sent.qboInvoice?.emailStatus, 'SENT', 'the e-mail');

  await receive(simulator, sent, '500.00');
  const partly = await server.waitForStatus(sent, 'PARTIALLY_PAID');
  say(`4. The buyer pays 500.00; a signed webhook arrives: ${partly.status}, ${partly.balanceDue.amount} due`);
  expect(partly.totalPaid.amount, '500.00', 'the paid amount');

  await receive(simulator, sent, '975.00');
  const paid = await server.waitForStatus(sent, 'PAID');
  say(`5. The buyer pays the rest; another webhook: ${paid.status}, ${paid.totalPaid.amount} paid`);
  expect(paid.totalPaid.amount, created.total.amount, 'the paid amount');
  expect(paid.balanceDue.amount, '0.00', 'the balance');

  return {
    reference: paid.reference,
    qboInvoiceId: paid.qboInvoice?.id,
    status: paid.status,
    totalPaid: paid.totalPaid.amount,
    qboCalls: (await countCalls(simulator)) - callsBefore,
  };
}

/** The bookkeeper receives money in QuickBooks. */
async function receive(simulator: QuickBooksSimulator, { qboInvoice }: Order, amount: string): Promise<void> {
  const [realmId] = simulator.realmIds;
  await callControl(simulator, 'POST', '/pay', { realmId, invoiceId: qboInvoice?.id, amount });
}
