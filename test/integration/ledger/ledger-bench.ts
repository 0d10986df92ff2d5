import { randomUUID } from 'node:crypto';
import type { GraphQLContext } from '../../../src/api/graphql/context.js';
import { createLoaders } from '../../../src/api/graphql/loaders.js';
import { PurchaseOrderFieldResolver } from '../../../src/api/graphql/purchase-order/purchase-order.field-resolver.js';
import { presentPurchaseOrder } from '../../../src/api/graphql/purchase-order/purchase-order.type.js';
import type { AccountingGateway, ProviderInvoice, ProviderPayment } from '../../../src/application/ports/accounting.js';
import { succeeded } from '../../../src/application/ports/provider.js';
import { findUnappliedCredits } from '../../../src/application/queries/purchase-order-details.js';
import { findPurchaseOrders } from '../../../src/application/queries/purchase-order-view.js';
import { processQboEvents } from '../../../src/application/webhooks/process-qbo-events.js';
import { storeWebhookEvents } from '../../../src/application/webhooks/store-webhook-events.js';
import { minorUnits, subtract, sum, ZERO } from '../../../src/domain/money.js';
import { balanceDue } from '../../../src/domain/purchase-order/purchase-order.status.js';
import type { Data } from '../../support/graphql-client.js';
import type { Workbench } from '../../support/workbench.js';

/** An order and the ids of its invoice. */
export type InvoicedOrder = Awaited<ReturnType<Workbench['invoicedOrder']>>;

/** Lets one event about an object come in and works it off; returns what became of it. */
export async function notify(
  bench: Workbench,
  entity: string,
  entityId: string,
  { realmId = bench.realmId, operation = 'updated', context = bench.process() } = {},
): Promise<Data> {
  const eventId = randomUUID();
  const stored = { em: bench.orm.em.fork(), clock: bench.clock, ids: context.ids, wake: () => undefined };
  const event = { eventId, companyId: realmId, entity, entityId, operation, occurredAt: undefined, payload: {} };
  await storeWebhookEvents(stored, 'QBO', [event]);
  await processQboEvents(context, realmId);
  const [row] = await bench.sql('select state, last_error as reason from webhook_event where event_id = ?', [eventId]);
  return row;
}

/** Every booking of money on an order, oldest first: `payment/revision amount day reference`, struck ones in `~`. */
export async function money(bench: Workbench, orderId: string): Promise<string[]> {
  const rows = await bench.sql(
    `select coalesce(provider_payment_id || '/' || revision, source) as name, amount_minor::text as amount,
            to_char(paid_on, 'YYYY-MM-DD') as day, reference,
            exists (select from payment_reversal where payment_id = payment.id) as reversed
     from payment where purchase_order_id = ? order by id`,
    [orderId],
  );
  return rows.map((row) => struck(`${row.name} ${row.amount} ${row.day} ${row.reference}`, row.reversed));
}

/** Every booking of credit on an order, oldest first: `payment/revision amount`, struck ones in `~`. */
export async function credit(bench: Workbench, orderId: string): Promise<string[]> {
  const rows = await bench.sql(
    `select coalesce(provider_payment_id || '/' || revision, source) as name, amount_minor::text as amount,
            exists (select from credit_note_reversal where credit_note_id = credit_note.id) as reversed
     from credit_note where purchase_order_id = ? order by id`,
    [orderId],
  );
  return rows.map((row) => struck(`${row.name} ${row.amount}`, row.reversed));
}

function struck(text: string, isReversed: boolean): string {
  return isReversed ? `~${text}~` : text;
}

/** As the API shows it: status, and the sums in minor units. */
export async function balance(bench: Workbench, orderId: string): Promise<string> {
  const [view] = await findPurchaseOrders(bench.orm.em.fork(), bench.context.actor, [orderId]);
  if (!view) throw new Error(`there is no order ${orderId}`);
  const { status, paidMinor: paid, creditedMinor: credited, totalMinor } = view;
  return `${status} paid ${paid} credited ${credited} due ${balanceDue(totalMinor, { paid, credited })}`;
}

/** The rests of payments that an order shows, as `payment amount`. */
export async function rests(bench: Workbench, orderId: string): Promise<string[]> {
  const rows = await findUnappliedCredits(bench.orm.em.fork(), [orderId]);
  return rows.map(({ providerPaymentId, amountMinor }) => `${providerPaymentId} ${amountMinor}`);
}

/** What the API says that a person should look at, as `code message`. */
export async function attention(bench: Workbench, orderId: string): Promise<string[]> {
  const em = bench.orm.em.fork();
  const loaders = createLoaders(em, bench.context.actor);
  const view = await loaders.purchaseOrder.load(orderId);
  if (!view) throw new Error(`there is no order ${orderId}`);
  const context = { loaders } as GraphQLContext;
  const items = await new PurchaseOrderFieldResolver().attention(presentPurchaseOrder(view), context);
  return items.map(({ code, message }) => `${code} ${message}`);
}

/** What is remembered of a payment: `status total/unapplied currency`. */
export async function seen(bench: Workbench, paymentId: string, companyId = `SANDBOX:${bench.realmId}`) {
  const rows = await bench.sql(
    `select status || ' ' || total_minor || '/' || unapplied_minor || ' ' || currency_code as said
     from provider_payment where company_id = ? and external_id = ?`,
    [companyId, paymentId],
  );
  return rows.map(({ said }) => said);
}

/** What QuickBooks shows. */
export type Shown = Pick<AccountingGateway, 'readInvoices' | 'readPayments'>;

/** QuickBooks as it looks when an invoice that it did not show for a while is there again, with these payments. */
export function showingAgain(bench: Workbench, invoice: ProviderInvoice, ...payments: ProviderPayment[]): Shown {
  const { accounting } = bench.context;
  const readInvoices: AccountingGateway['readInvoices'] = async (connection, ids) => {
    if (!ids.includes(invoice.externalId)) return accounting.readInvoices(connection, ids);
    const applied = payments.filter((payment) => appliedTo(invoice, payment) > ZERO);
    const balance = subtract(invoice.total, sum(applied.map((payment) => appliedTo(invoice, payment))));
    const objects = [{ ...invoice, balance, paymentIds: applied.map(({ externalId }) => externalId) }];
    return succeeded({ objects, unreadableIds: [] }, {}, new Date());
  };
  const readPayments: AccountingGateway['readPayments'] = async (_, ids) => {
    const objects = payments.filter(({ externalId }) => ids.includes(externalId));
    return succeeded({ objects, unreadableIds: [] }, {}, new Date());
  };
  return { readInvoices, readPayments };
}

function appliedTo({ externalId }: ProviderInvoice, { applications }: ProviderPayment) {
  return sum(applications.flatMap((each) => (each.externalId === externalId ? [each.amount] : [])));
}

/** A payment of which 100.00 are applied to the invoice. */
export function paymentOf(
  invoice: ProviderInvoice,
  id: string,
  fields: Partial<ProviderPayment> = {},
): ProviderPayment {
  const amount = minorUnits(10_000n);
  return {
    externalId: `${id}${invoice.externalId}`,
    syncToken: '0',
    currency: invoice.currency,
    total: amount,
    unapplied: ZERO,
    paidOn: '2026-11-02',
    referenceNumber: undefined,
    voided: false,
    applications: [{ kind: 'invoice', externalId: invoice.externalId, amount }],
    changedAt: undefined,
    ...fields,
  };
}

/** QuickBooks' rules do not allow what the bookkeeper wanted. */
export class Refused extends Error {}

/** The bookkeeper of one company, who can do everything that the provider's API lets a program do. */
export class Bookkeeper {
  readonly #bench: Workbench;
  readonly #realmId: string;

  constructor(bench: Workbench, realmId = bench.realmId) {
    this.#bench = bench;
    this.#realmId = realmId;
  }

  /** Creates or changes an object through the API. */
  async write(entity: string, body: object): Promise<Data> {
    const { quickbooks } = this.#bench;
    const { accessToken } = await quickbooks.post('/tokens', { realmId: this.#realmId });
    const url = `${quickbooks.simulator.baseUrl}/v3/company/${this.#realmId}/${entity}`;
    const headers = {
      authorization: `Bearer ${accessToken}`,
      accept: 'application/json',
      'content-type': 'application/json',
    };
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    const json = await answer.json();
    if (answer.status === 400) throw new Refused(JSON.stringify(json));
    if (!answer.ok) throw new Error(`${entity}: ${JSON.stringify(json)}`);
    return Object.values(json as Data)[0] as Data;
  }

  async invoice(externalId: string): Promise<Data> {
    const { invoices } = await this.#bench.quickbooks.get(`/books?realmId=${this.#realmId}`);
    const invoice = invoices.find(({ Id }: Data) => Id === externalId);
    if (!invoice) throw new Refused(`there is no invoice ${externalId}`);
    return invoice;
  }

  /** A payment over the share that each invoice gets, whatever its amount. Amounts are in major units. */
  async pay(total: number, shares: Record<string, number>, fields: object = {}): Promise<string> {
    return (await this.#payment(total, shares, [], fields)).Id;
  }

  /** As `pay`, with credit memos that pay their part. */
  async payWithCredit(total: number, shares: Record<string, number>, memos: Record<string, number>): Promise<string> {
    return (await this.#payment(total, shares, Object.entries(memos), {})).Id;
  }

  async #payment(total: number, shares: Record<string, number>, memos: [string, number][], fields: object) {
    const [first] = Object.keys(shares);
    const { CustomerRef, CurrencyRef } = await this.invoice(String(first));
    const line =
      (TxnType: string) =>
      ([TxnId, Amount]: [string, number]) => ({ Amount, LinkedTxn: [{ TxnId, TxnType }] });
    const Line = [...Object.entries(shares).map(line('Invoice')), ...memos.map(line('CreditMemo'))];
    return this.write('payment', { CustomerRef, CurrencyRef, TotalAmt: total, Line, ...fields });
  }

  /** Sets an existing payment against other invoices, or against none. */
  async reassign(paymentId: string, shares: Record<string, number>): Promise<void> {
    const { payments } = await this.#bench.quickbooks.get(`/books?realmId=${this.#realmId}`);
    const payment = payments.find(({ Id }: Data) => Id === paymentId);
    if (!payment) throw new Refused(`there is no payment ${paymentId}`);
    const { SyncToken, CustomerRef, TotalAmt } = payment;
    const Line = Object.entries(shares).map(([TxnId, Amount]) => ({
      Amount,
      LinkedTxn: [{ TxnId, TxnType: 'Invoice' }],
    }));
    await this.write('payment', { Id: paymentId, SyncToken, CustomerRef, TotalAmt, Line, sparse: true });
  }

  /** A credit memo for the customer of an invoice, set against nothing yet. */
  async creditMemo(invoiceId: string, amount: number): Promise<string> {
    const { CustomerRef, CurrencyRef } = await this.invoice(invoiceId);
    const SalesItemLineDetail = { ItemRef: { value: '1' } };
    const Line = [{ Amount: amount, DetailType: 'SalesItemLineDetail', SalesItemLineDetail }];
    return (await this.write('creditmemo', { CustomerRef, CurrencyRef, Line })).Id;
  }

  /** An invoice for the same customer that no purchase order knows. */
  async foreignInvoice(invoiceId: string, amount: number): Promise<string> {
    const { CustomerRef, CurrencyRef } = await this.invoice(invoiceId);
    const SalesItemLineDetail = { ItemRef: { value: '1' } };
    const Line = [{ Amount: amount, DetailType: 'SalesItemLineDetail', SalesItemLineDetail }];
    return (await this.write('invoice', { CustomerRef, CurrencyRef, Line })).Id;
  }

  /** Grants a credit and sets it against the invoice; returns the id of the payment that links them. */
  async credit(invoiceId: string, amount: number): Promise<string> {
    return (await this.#control('/credit-memo', { invoiceId, amount: `${amount}.00` })).Payment.Id;
  }

  async void(paymentId: string): Promise<void> {
    await this.#control('/void-payment', { paymentId });
  }

  async delete(paymentId: string): Promise<void> {
    await this.#control('/delete-payment', { paymentId });
  }

  async edit(paymentId: string, changes: object): Promise<void> {
    await this.#control('/edit-payment', { paymentId, ...changes });
  }

  async deleteInvoice(invoiceId: string): Promise<void> {
    await this.#control('/delete-invoice', { invoiceId });
  }

  async #control(path: string, order: object): Promise<Data> {
    try {
      return await this.#bench.quickbooks.post(path, { realmId: this.#realmId, ...order });
    } catch (error) {
      if (error instanceof Error && error.message.startsWith(`POST ${path}: 400 `)) throw new Refused(error.message);
      throw error;
    }
  }
}
