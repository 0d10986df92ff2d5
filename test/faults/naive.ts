import { randomBytes } from 'node:crypto';
import { done, refusal } from '../../src/application/outcome.js';
import type { ProviderInvoice } from '../../src/application/ports/accounting.js';
import type { ProviderResult } from '../../src/application/ports/provider.js';
import type { QboContext } from '../../src/application/quickbooks/qbo-context.js';
import { Conference } from '../../src/domain/conference/conference.entity.js';
import { PurchaseOrder } from '../../src/domain/purchase-order/purchase-order.entity.js';
import { QboConnection } from '../../src/domain/quickbooks/qbo-connection.entity.js';
import type { UseCases } from './fast/use-cases.js';

// The order of operations that the app replaces: ask for the customer, POST, then store; without lock, claim and key. It
// is told the same stories, to show that the auditor catches what it must.

export function naiveUseCases(useCases: UseCases): UseCases {
  return {
    calls: {
      ...useCases.calls,
      createQboInvoice: createInvoice,
      syncQboInvoiceStatus: async (context, { purchaseOrderId }) => {
        await readStatus(context, 'purchase_order_id = ?', purchaseOrderId);
        return done(purchaseOrderId);
      },
    },
    jobs: {
      ...useCases.jobs,
      resumeOperations: async () => undefined,
      processQboEvents: async (context, realmId) => {
        await readStatus(context, 'company_id = ?', `SANDBOX:${realmId}`);
        await context.em.execute(`update webhook_event set state = 'DONE', processed_at = now() where company_id = ?`, [
          realmId,
        ]);
      },
    },
  };
}

const createInvoice: UseCases['calls']['createQboInvoice'] = async (context, { purchaseOrderId }) => {
  const { em, accounting } = context;
  const order = await em.findOne(PurchaseOrder, purchaseOrderId);
  if (!order) return refusal('NOT_FOUND', 'There is no such purchase order.');
  const [stored] = await em.execute('select id from invoice where purchase_order_id = ?', [order.id]);
  if (stored) return refusal('ALREADY_INVOICED', 'It has an invoice.');
  const conference = await em.findOneOrFail(Conference, order.conference.id);
  const connection = await em.findOneOrFail(QboConnection, String(conference.qboConnection?.id));
  const settings = orThrow(await accounting.readCompanySettings(connection.id));
  const currency = settings.multiCurrency ? order.currencyCode : undefined;
  const named = orThrow(await accounting.findCustomersByName(connection.id, [order.organizationName]));
  const { organizationName, contactName, contactEmail: email, billingAddress } = order;
  const draft = { displayName: organizationName, organizationName, contactName, email, billingAddress, currency };
  const customer =
    named[0] ?? orThrow(await accounting.createCustomer(connection.id, accounting.prepareCustomer(draft), onceOnly()));
  const lines = await order.lineItems.loadItems();
  const body = accounting.prepareInvoice({
    customerExternalId: customer.externalId,
    serviceItemId: settings.serviceItemId ?? '1',
    currency: order.currencyCode,
    sendCurrency: settings.multiCurrency,
    reference: order.reference,
    marker: '',
    buyerReference: '',
    documentNumber: undefined,
    invoiceDate: context.clock.now().toISOString().slice(0, 10),
    dueDate: undefined,
    email,
    billingAddress,
    lines: lines.map((line) => ({ ...line, unitPrice: line.unitPriceMinor, amount: line.lineTotalMinor })),
  });
  const invoice = orThrow(await accounting.createInvoice(connection.id, body, onceOnly()));
  await store(context, order, connection, invoice);
  return done(order.id);
};

/** No two requests have the same, so QuickBooks never takes one for a repetition. */
function onceOnly(): string {
  return randomBytes(12).toString('hex');
}

async function store(
  { em, ids }: QboContext,
  order: PurchaseOrder,
  connection: QboConnection,
  answer: ProviderInvoice,
) {
  await em.execute(
    `insert into invoice (id, purchase_order_id, provider, qbo_connection_id, company_id, status, external_id,
       currency_code, total_minor, balance_minor, created_at, updated_at)
     values (?, ?, 'QBO', ?, ?, 'OPEN', ?, ?, ?, ?, now(), now())`,
    [
      ids.next('inv'),
      order.id,
      connection.id,
      `SANDBOX:${connection.realmId}`,
      answer.externalId,
      answer.currency,
      `${answer.total}`,
      `${answer.balance}`,
    ],
  );
  await em.execute(`update purchase_order set sent_at = now(), status = 'SENT' where id = ?`, [order.id]);
}

/** Takes what the balance says for the sum paid, and books what is missing here. */
async function readStatus({ em, accounting, ids }: QboContext, where: string, value: string): Promise<void> {
  const invoices = await em.execute(`select * from invoice where ${where}`, [value]);
  for (const row of invoices) {
    const invoice = orThrow(await accounting.readInvoice(row.qbo_connection_id, row.external_id));
    const orderId: string = row.purchase_order_id;
    const [sums] = await em.execute(
      'select coalesce(sum(amount_minor), 0)::text as paid from payment where purchase_order_id = ?',
      [orderId],
    );
    const missing = invoice.total - invoice.balance - BigInt(sums?.paid ?? 0);
    const [paymentId] = invoice.paymentIds;
    if (missing > 0n && paymentId !== undefined) {
      await em.execute(
        `insert into payment (id, purchase_order_id, amount_minor, method, source, reference, paid_on, note,
           provider_company, provider_payment_id, provider_invoice_id, revision, recorded_by, created_at)
         values (?, ?, ?, 'QBO', 'QBO', ?, now(), '', ?, ?, ?, 1, 'naive', now())`,
        [ids.next('pay'), orderId, `${missing}`, paymentId, row.company_id, paymentId, row.external_id],
      );
    }
    const status = invoice.balance === 0n ? 'PAID' : invoice.balance < invoice.total ? 'PARTIALLY_PAID' : 'OPEN';
    await em.execute('update invoice set status = ?, balance_minor = ? where id = ?', [
      status,
      `${invoice.balance}`,
      row.id,
    ]);
    const orderStatus = status === 'OPEN' ? 'SENT' : status;
    await em.execute('update purchase_order set status = ? where id = ?', [orderStatus, orderId]);
  }
}

function orThrow<T>(result: ProviderResult<T>): T {
  if (!result.ok) throw new Error(result.failure.message);
  return result.value;
}
