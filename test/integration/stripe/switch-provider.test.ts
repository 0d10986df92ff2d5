import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { InvoicingContext } from '../../../src/application/invoicing/invoicing-context.js';
import { resumeOperations } from '../../../src/application/invoicing/resume-operations.js';
import { switchInvoiceProvider } from '../../../src/application/invoicing/switch-invoice-provider.js';
import type { AccountingGateway } from '../../../src/application/ports/accounting.js';
import type { BillingGateway } from '../../../src/application/ports/billing.js';
import { succeeded } from '../../../src/application/ports/provider.js';
import { cancelPurchaseOrder } from '../../../src/application/purchase-orders/cancel-purchase-order.js';
import { issueCreditNote } from '../../../src/application/purchase-orders/issue-credit-note.js';
import { recordPayment } from '../../../src/application/purchase-orders/record-payment.js';
import { createQboInvoice } from '../../../src/application/quickbooks/create-qbo-invoice.js';
import { syncInvoice } from '../../../src/application/quickbooks/sync-invoices.js';
import { createStripeInvoice } from '../../../src/application/stripe/create-stripe-invoice.js';
import { syncStripeInvoice } from '../../../src/application/stripe/sync-invoice.js';
import type { CurrencyCode } from '../../../src/domain/currency.js';
import type { Data } from '../../support/graphql-client.js';
import { type StripeWorkbench, startStripeWorkbench } from '../../support/stripe-workbench.js';
import { die, ProcessDied, replacing } from '../../support/workbench.js';
import { attention, balance, money, notify, paymentOf, showingAgain } from '../ledger/ledger-bench.js';

type Provider = 'QBO' | 'STRIPE';

let bench: StripeWorkbench;

beforeAll(async () => {
  bench = await startStripeWorkbench();
});

beforeEach(async () => {
  await bench.stripe.delete('/faults');
  await bench.quickbooks.delete('/faults');
  await bench.stripe.delete('/requests');
  await bench.quickbooks.delete('/requests');
  await bench.sql("update provider_operation set state = 'REFUSED' where state in ('UNKNOWN', 'IN_FLIGHT', 'CLAIMED')");
});

afterAll(() => bench.stop());

const MINUTE = 60_000;
const LEASE = 181_000;
const PROVIDERS: Provider[] = ['QBO', 'STRIPE'];
const WAYS = [
  ['QuickBooks', 'Stripe', 'QBO', 'STRIPE'],
  ['Stripe', 'QuickBooks', 'STRIPE', 'QBO'],
] as const;

const switchTo = (provider: Provider, purchaseOrderId: string, context: InvoicingContext = bench.process()) =>
  switchInvoiceProvider(context, { purchaseOrderId, provider });
const create = (provider: Provider, purchaseOrderId: string) =>
  (provider === 'QBO' ? createQboInvoice : createStripeInvoice)(bench.process(), { purchaseOrderId });
const cancel = (purchaseOrderId: string) => cancelPurchaseOrder(bench.process(), { purchaseOrderId });
const refusedAs = (code: string) => ({ id: null, failures: [{ code }] });

async function invoicedIn(provider: Provider, fields?: Data): Promise<string> {
  const order = await (provider === 'QBO' ? bench.invoicedOrder(fields) : bench.stripeInvoicedOrder(fields));
  await bench.stripe.delete('/requests');
  await bench.quickbooks.delete('/requests');
  return order.id;
}

/** The order's invoices as we know them, oldest first, e.g. `QBO VOIDED`. */
async function invoices(id: string): Promise<string[]> {
  const rows = await bench.sql('select provider, status from invoice where purchase_order_id = ? order by id', [id]);
  return rows.map(({ provider, status }) => `${provider} ${status}`);
}

/** The operations of the order and its invoices, oldest first, e.g. `SWITCH_PROVIDER DONE`. */
async function operations(id: string, kinds: string[] = ['SWITCH_PROVIDER']): Promise<string[]> {
  const rows = await bench.sql(
    `select kind, state from provider_operation
     where kind in (?) and (subject = ? or subject in (select id from invoice where purchase_order_id = ?)) order by id`,
    [kinds, id, id],
  );
  return rows.map(({ kind, state }) => (kinds.length === 1 ? state : `${kind} ${state}`));
}

/** What the buyer could pay at either provider, and how many invoices were ever made there. */
async function payable(id: string): Promise<Data> {
  const made = await bench.sql("select id from provider_operation where kind = 'CREATE_INVOICE' and subject = ?", [id]);
  const marks = made.map((operation) => operation.id);
  const inQuickBooks = (await bench.books()).invoices.filter(({ PrivateNote }: Data) =>
    marks.some((mark) => String(PrivateNote).includes(mark)),
  );
  const inStripe = (await bench.stripe.books()).invoices.filter(
    ({ metadata }: Data) => metadata.purchase_order_id === id,
  );
  return {
    QBO: inQuickBooks.filter(({ Balance }: Data) => Balance > 0).length,
    STRIPE: inStripe.filter(({ status }: Data) => status === 'open' || status === 'uncollectible').length,
    made: inQuickBooks.length + inStripe.length,
  };
}

async function expectSwitched(id: string, from: Provider, to: Provider): Promise<void> {
  expect(await invoices(id)).toEqual([`${from} VOIDED`, `${to} OPEN`]);
  expect(await payable(id)).toEqual({ [from]: 0, [to]: 1, made: 2 });
  expect((await operations(id)).at(-1)).toBe('DONE');
  expect(await bench.sql('select status from purchase_order where id = ?', [id])).toEqual([{ status: 'SENT' }]);
}

async function actions(id: string): Promise<string[]> {
  const rows = await bench.sql('select action from audit_event where subject = ? order by id', [id]);
  return rows.map(({ action }) => action);
}

async function writes(): Promise<string[]> {
  const quickbooks = await bench.quickbooks.requests('?kind=write');
  const stripe = (await bench.stripe.calls()).filter((call) => call.startsWith('POST'));
  return [...quickbooks.map(({ path }: Data) => path), ...stripe];
}

/** As many turns of the background as it takes when a process died or an answer was lost. */
async function settle(): Promise<void> {
  const unsettled = () =>
    bench.sql("select kind, last_error from provider_operation where state in ('CLAIMED', 'IN_FLIGHT', 'UNKNOWN')");
  for (let turn = 1; turn <= 6 && (await unsettled()).length > 0; turn++) {
    await bench.later(LEASE);
    await resumeOperations(bench.process());
  }
  expect(await unsettled()).toEqual([]);
}

describe.each(WAYS)('W-Q17: switching an unpaid order from %s to %s', (_from, _to, from, to) => {
  test('voids the one invoice, then creates the other, and says so in the audit trail', async () => {
    const id = await invoicedIn(from);
    expect(await switchTo(to, id)).toEqual({ id, failures: [] });
    await expectSwitched(id, from, to);
    expect((await actions(id)).slice(-5)).toEqual([
      'invoice.switch_requested',
      'invoice.void_requested',
      'invoice.voided',
      'invoice.created',
      'invoice.switched',
    ]);
    expect(await switchTo(to, id)).toMatchObject(refusedAs('ALREADY_INVOICED'));
    expect(await resumeOperations(bench.process())).toBe(0);
  });

  test('there and back again leaves one payable invoice', async () => {
    const id = await invoicedIn(from);
    await switchTo(to, id);
    expect(await switchTo(from, id)).toEqual({ id, failures: [] });
    expect(await invoices(id)).toEqual([`${from} VOIDED`, `${to} VOIDED`, `${from} OPEN`]);
    expect(await payable(id)).toEqual({ [from]: 1, [to]: 0, made: 3 });
    expect(await operations(id)).toEqual(['DONE', 'DONE']);
  });

  test('without an invoice just creates one where it is wanted', async () => {
    const id = await bench.order();
    expect(await switchTo(to, id)).toEqual({ id, failures: [] });
    expect(await invoices(id)).toEqual([`${to} OPEN`]);
    expect(await operations(id)).toEqual([]);
  });

  test('goes on with an invoice of unknown outcome where it is wanted, and leaves one elsewhere alone', async () => {
    const [there, elsewhere] = [await bench.order(), await bench.order()];
    for (const [provider, id] of [
      [to, there],
      [from, elsewhere],
    ] as const) {
      if (provider === 'QBO') await bench.quickbooks.post('/faults', { kind: 'reset', match: { path: '/invoice?' } });
      else await bench.stripe.fault('POST /finalize', { kind: 'reset' });
      expect(await create(provider, id)).toMatchObject(refusedAs('OUTCOME_UNKNOWN'));
    }
    expect(await switchTo(to, there)).toEqual({ id: there, failures: [] });
    expect(await switchTo(to, elsewhere)).toMatchObject(refusedAs('OUTCOME_UNKNOWN'));
    expect(await invoices(elsewhere)).toEqual([`${from} UNKNOWN`]);
  });

  test('with money or credit on it, cancelled, or over nothing, is refused and nothing is called', async () => {
    const paid = await invoicedIn(from);
    await recordPayment(bench.process(), { purchaseOrderId: paid, amount: '10.00', method: 'WIRE' });
    const credited = await bench.order();
    await issueCreditNote(bench.process(), { purchaseOrderId: credited, amount: '10.00', reason: 'Late' });
    const whole = await invoicedIn(from);
    await recordPayment(bench.process(), { purchaseOrderId: whole, amount: '1475.00', method: 'WIRE' });
    const cancelled = await invoicedIn(from);
    await cancel(cancelled);
    const free = await bench.order({ lineItems: [{ description: 'Free', quantity: 1, unitPrice: '0.00' }] });
    await bench.stripe.delete('/requests');
    await bench.quickbooks.delete('/requests');
    expect(await switchTo(to, paid)).toMatchObject(refusedAs('HAS_PAYMENTS_OR_CREDITS'));
    expect(await switchTo(to, credited)).toMatchObject(refusedAs('HAS_PAYMENTS_OR_CREDITS'));
    expect(await switchTo(to, whole)).toMatchObject(refusedAs('ALREADY_PAID'));
    expect(await switchTo(to, cancelled)).toMatchObject(refusedAs('CANCELLED'));
    expect(await switchTo(to, free)).toMatchObject(refusedAs('NOTHING_TO_INVOICE'));
    expect(await switchTo(to, 'po_none')).toMatchObject(refusedAs('NOT_FOUND'));
    expect(await writes()).toEqual([]);
    for (const id of [paid, whole]) expect(await invoices(id)).toEqual([`${from} OPEN`]);
  });

  test('paid there and not known here yet is refused, and the payment is booked', async () => {
    const id = await invoicedIn(from);
    const [{ external_id: externalId }] = await bench.sql(
      'select external_id from invoice where purchase_order_id = ?',
      [id],
    );
    if (from === 'QBO') await bench.quickbooks.pay(externalId, '500.00');
    else await bench.stripe.pay(externalId, 50_000);
    expect(await switchTo(to, id)).toMatchObject(refusedAs('HAS_PAYMENTS_OR_CREDITS'));
    expect(await invoices(id)).toEqual([`${from} PARTIALLY_PAID`]);
    expect(await operations(id)).toEqual(['REFUSED']);
    expect((await actions(id)).at(-1)).toBe('invoice.switch_given_up');
    expect(await payable(id)).toMatchObject({ [from]: 1, [to]: 0 });
  });

  test('of ten at the same time makes one switch, and the others are told so', async () => {
    const id = await invoicedIn(from);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => switchTo(to, id)));
    const codes = outcomes.flatMap(({ failures }) => failures.map(({ code }) => code));
    expect(codes).toEqual(Array(9).fill('IN_PROGRESS'));
    await expectSwitched(id, from, to);
    expect(await operations(id)).toEqual(['DONE']);
  });

  test('whose void is definitely refused leaves the invoice where it is', async () => {
    const id = await invoicedIn(from);
    if (from === 'QBO')
      await bench.quickbooks.post('/faults', { kind: 'fault', code: '6540', match: { path: 'operation=void' } });
    else await bench.stripe.fault('POST /void', { kind: 'error', status: 400, message: 'Not today' });
    expect(await switchTo(to, id)).toMatchObject(refusedAs(from === 'QBO' ? 'QBO_REJECTED' : 'STRIPE_REJECTED'));
    expect(await invoices(id)).toEqual([`${from} OPEN`]);
    expect(await payable(id)).toMatchObject({ [from]: 1, [to]: 0 });
    expect(await operations(id)).toEqual(['REFUSED']);
    expect(await switchTo(to, id)).toEqual({ id, failures: [] });
  });

  test('whose target refuses the invoice says so, and leaves an order that can be invoiced again', async () => {
    const id = await invoicedIn(from);
    if (to === 'QBO')
      await bench.quickbooks.post('/faults', { kind: 'fault', code: '6000', match: { path: '/invoice?' } });
    else await bench.stripe.fault('POST /v1/invoices', { kind: 'error', status: 400, message: 'No more invoices' });
    expect(await switchTo(to, id)).toMatchObject({ id: null });
    expect(await operations(id)).toEqual(['REFUSED']);
    expect((await actions(id)).at(-1)).toBe('invoice.switch_given_up');
    expect(await create(from, id)).toEqual({ id, failures: [] });
    expect(await invoices(id)).toEqual([`${from} VOIDED`, `${from} OPEN`]);
  });

  test('whose target cannot be reached after the void goes on in the background', async () => {
    const id = await invoicedIn(from);
    if (to === 'QBO')
      await bench.quickbooks.post('/faults', { kind: 'status', status: 429, match: { path: '/invoice?' } });
    else await bench.stripe.fault('POST /v1/invoices', { kind: '429' });
    expect(await switchTo(to, id)).toMatchObject(refusedAs(to === 'QBO' ? 'QBO_UNAVAILABLE' : 'STRIPE_UNAVAILABLE'));
    expect(await invoices(id)).toEqual([`${from} VOIDED`]);
    expect(await operations(id)).toEqual(['UNKNOWN']);
    // Nobody slips in at the provider that it comes from.
    expect(await create(from, id)).toMatchObject(refusedAs('IN_PROGRESS'));
    expect(await operations(id, ['CREATE_INVOICE'])).toEqual(['DONE', 'REFUSED']);
    await bench.later(MINUTE);
    await resumeOperations(bench.process());
    expect(await invoices(id)).toEqual([`${from} VOIDED`, `${to} OPEN`]);
    expect(await payable(id)).toEqual({ [from]: 0, [to]: 1, made: 2 });
  });

  test('can be taken back while it waits for its target', async () => {
    const id = await invoicedIn(from);
    if (to === 'QBO')
      await bench.quickbooks.post('/faults', { kind: 'status', status: 429, match: { path: '/invoice?' } });
    else await bench.stripe.fault('POST /v1/invoices', { kind: '429' });
    await switchTo(to, id);
    expect(await switchTo(from, id)).toEqual({ id, failures: [] });
    expect(await operations(id)).toEqual(['REFUSED']);
    await settle();
    expect(await invoices(id)).toEqual([`${from} VOIDED`, `${from} OPEN`]);
  });

  test('can be overtaken by whoever creates the invoice where it is wanted', async () => {
    const id = await invoicedIn(from);
    if (to === 'QBO')
      await bench.quickbooks.post('/faults', { kind: 'status', status: 429, match: { path: '/invoice?' } });
    else await bench.stripe.fault('POST /v1/invoices', { kind: '429' });
    await switchTo(to, id);
    expect(await create(to, id)).toEqual({ id, failures: [] });
    await settle();
    await expectSwitched(id, from, to);
  });
});

describe('what Stripe cannot take is not voided in QuickBooks', () => {
  test('an amount that it cannot represent', async () => {
    const id = await invoicedIn('QBO');
    const prepareInvoice: BillingGateway['prepareInvoice'] = () => ({
      ok: false,
      reason: 'amount',
      message: 'Too large.',
    });
    expect(await switchTo('STRIPE', id, bench.withBilling({ prepareInvoice }))).toMatchObject(
      refusedAs('STRIPE_AMOUNT_UNREPRESENTABLE'),
    );
    expect(await writes()).toEqual([]);
    expect(await invoices(id)).toEqual(['QBO OPEN']);
    expect(await operations(id)).toEqual(['REFUSED']);
  });

  test('more lines than it takes', async () => {
    const lineItems = Array.from({ length: 251 }, () => ({ description: 'Ticket', quantity: 1, unitPrice: '1.00' }));
    const id = await invoicedIn('QBO', { lineItems });
    expect(await switchTo('STRIPE', id)).toMatchObject(refusedAs('STRIPE_TOO_MANY_LINES'));
    expect(await writes()).toEqual([]);
    expect(await invoices(id)).toEqual(['QBO OPEN']);
  });

  test('an order of a conference whose key it refuses', async () => {
    const id = await invoicedIn('QBO');
    await bench.sql("update stripe_connection set status = 'RECONNECT_REQUIRED'");
    expect(await switchTo('STRIPE', id)).toMatchObject(refusedAs('RECONNECT_REQUIRED'));
    await bench.sql("update stripe_connection set status = 'CONNECTED'");
    expect(await writes()).toEqual([]);
    expect(await operations(id)).toEqual([]);
  });

  describe.each([
    ['whose customer is known here', true, /^GET \/v1\/customers\/cus_\w+$/],
    ['whose customer is to be looked up', false, /^GET \/v1\/customers$/],
  ])('an order %s', (_what, isLinked, read) => {
    const organizationName = `Switching ${isLinked}`;

    async function invoicedInQuickBooks(): Promise<string> {
      if (isLinked) await bench.stripeInvoicedOrder({ organizationName });
      return invoicedIn('QBO', { organizationName });
    }

    async function expectNotVoided(id: string): Promise<void> {
      expect(await bench.stripe.calls()).toEqual([expect.stringMatching(read)]);
      expect(await writes()).toEqual([]);
      expect(await invoices(id)).toEqual(['QBO OPEN']);
      expect(await operations(id)).toEqual(['REFUSED']);
    }

    test('while Stripe does not answer', async () => {
      const id = await invoicedInQuickBooks();
      await bench.stripe.fault('GET /v1/customers', { kind: 'reset' });
      expect(await switchTo('STRIPE', id)).toMatchObject(refusedAs('STRIPE_UNAVAILABLE'));
      await expectNotVoided(id);
    });

    test('when Stripe turns out to refuse the key', async () => {
      const id = await invoicedInQuickBooks();
      const { accountId, secretKey } = bench.stripe.account;
      await bench.stripe.patch(`/accounts/${accountId}`, { secretKey: 'sk_test_rolled' });
      const outcome = await switchTo('STRIPE', id);
      await bench.stripe.patch(`/accounts/${accountId}`, { secretKey });
      expect(outcome).toMatchObject(refusedAs('RECONNECT_REQUIRED'));
      expect(await bench.sql('select status from stripe_connection')).toEqual([{ status: 'RECONNECT_REQUIRED' }]);
      await bench.sql("update stripe_connection set status = 'CONNECTED'");
      await expectNotVoided(id);
    });
  });

  test('a customer that was deleted there is replaced by another one', async () => {
    const organizationName = 'Deleted Ltd';
    await bench.stripeInvoicedOrder({ organizationName });
    const link = 'select external_id from stripe_customer where normalized_name = ?';
    const [{ external_id: deleted }] = await bench.sql(link, ['deleted ltd']);
    await bench.stripe.api('DELETE', `/v1/customers/${deleted}`);
    const id = await invoicedIn('QBO', { organizationName });
    expect(await switchTo('STRIPE', id)).toEqual({ id, failures: [] });
    await expectSwitched(id, 'QBO', 'STRIPE');
    expect(await bench.sql(link, ['deleted ltd'])).toEqual([{ external_id: expect.not.stringMatching(deleted) }]);
  });
});

describe('what QuickBooks cannot take is not voided in Stripe', () => {
  test('an order in a currency that its company does not know', async () => {
    const id = await invoicedIn('STRIPE');
    const readCompanySettings: AccountingGateway['readCompanySettings'] = async (connection) => {
      const read = await bench.context.accounting.readCompanySettings(connection);
      return read.ok ? succeeded({ ...read.value, multiCurrency: false, homeCurrency: 'EUR' as CurrencyCode }) : read;
    };
    await bench.sql('update qbo_connection set settings = null');
    const outcome = await switchTo('QBO', id, bench.with({ readCompanySettings }));
    await bench.sql('update qbo_connection set settings = null');
    expect(outcome).toMatchObject(refusedAs('QBO_REJECTED'));
    expect(await invoices(id)).toEqual(['STRIPE OPEN']);
    expect(await writes()).toEqual([]);
    expect(await operations(id)).toEqual(['REFUSED']);
  });

  test('an order with a bank debit on its way', async () => {
    const id = await invoicedIn('STRIPE');
    const [invoice] = await bench.sql('select id, external_id from invoice where purchase_order_id = ?', [id]);
    await bench.stripe.pay(invoice.external_id, undefined, { method: 'ach' });
    await syncStripeInvoice(bench.process(), invoice.id);
    expect(await switchTo('QBO', id)).toMatchObject({
      id: null,
      failures: [{ code: 'HAS_PAYMENTS_OR_CREDITS', message: expect.stringMatching(/on its way/) }],
    });
    expect(await writes()).toEqual([]);
  });
});

/** A process that dies when it opens its n-th entity manager, that is between two transactions. */
function dyingAt(count: number): { context: InvoicingContext; hasDied: () => boolean } {
  const context = bench.process();
  const { em } = context;
  let forks = 0;
  const fork: typeof em.fork = (...options) => {
    forks += 1;
    return forks >= count ? die() : em.fork(...options);
  };
  const dying = new Proxy(em, {
    get: (target, name) => {
      if (name === 'fork') return fork;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { context: { ...context, em: dying }, hasDied: () => forks >= count };
}

describe.each(WAYS)('when the process of a switch from %s to %s dies', (_from, _to, from, to) => {
  test('between any two of its transactions, the background ends it with one invoice', async () => {
    const abandoned: string[] = [];
    for (let isOver = false; !isOver; ) {
      const id = await invoicedIn(from);
      const { context, hasDied } = dyingAt(abandoned.length + 1);
      const outcome = await switchTo(to, id, context).catch((error: unknown) => {
        expect(error).toBeInstanceOf(ProcessDied);
        return undefined;
      });
      isOver = !hasDied();
      if (isOver) expect(outcome).toEqual({ id, failures: [] });
      else abandoned.push(id);
    }
    expect(abandoned.length).toBeGreaterThan(7);
    await settle();
    for (const id of abandoned) {
      if ((await operations(id)).length === 0) expect(await invoices(id)).toEqual([`${from} OPEN`]);
      else await expectSwitched(id, from, to);
    }
  }, 120_000);

  const CALLS = ['void', 'create'].flatMap((call) =>
    (['before', 'after'] as const).map((when) => [call, when] as const),
  );

  /** Voids or creates, and something happens before or after it at the provider. */
  function interrupted(call: string, when: 'before' | 'after', happens: () => unknown): InvoicingContext {
    const context = bench.process();
    const around =
      <Call extends unknown[], T>(work: (...given: Call) => Promise<T>) =>
      async (...given: Call): Promise<T> => {
        if (when === 'before') await happens();
        const answer = await work(...given);
        if (when === 'after') await happens();
        return answer;
      };
    const { accounting, billing } = bench.context;
    const name = call === 'void' ? 'voidInvoice' : 'createInvoice';
    const isQbo = (call === 'void' ? from : to) === 'QBO';
    const brokenAccounting: Partial<AccountingGateway> = {
      [name]: around((...given: Parameters<AccountingGateway['createInvoice']>) => accounting[name](...given)),
    };
    const brokenBilling: Partial<BillingGateway> =
      name === 'voidInvoice'
        ? { voidInvoice: around((...given) => billing.voidInvoice(...given)) }
        : { createInvoice: around((...given) => billing.createInvoice(...given)) };
    return isQbo
      ? { ...context, accounting: replacing(context.accounting, brokenAccounting) }
      : { ...context, billing: replacing(context.billing, brokenBilling) };
  }

  test.each(CALLS)('at the call to %s, %s it was carried out, the background ends it', async (call, when) => {
    const id = await invoicedIn(from);
    await expect(switchTo(to, id, interrupted(call, when, die))).rejects.toThrow(ProcessDied);
    expect(await switchTo(to, id)).toMatchObject(refusedAs('IN_PROGRESS'));
    expect(await create(from, id)).toMatchObject({ id: null });
    await settle();
    await expectSwitched(id, from, to);
  });

  test.each(CALLS)(
    'at the call to %s, %s it was carried out, whoever asks again after its lease ends it',
    async (call, when) => {
      const id = await invoicedIn(from);
      await expect(switchTo(to, id, interrupted(call, when, die))).rejects.toThrow(ProcessDied);
      await bench.later(LEASE);
      expect(await switchTo(to, id)).toEqual({ id, failures: [] });
      await expectSwitched(id, from, to);
    },
  );

  test.each(CALLS)(
    'at the call to %s, %s it was carried out, and only stood still, both end with one invoice',
    async (call, when) => {
      const id = await invoicedIn(from);
      const meanwhile = async () => {
        await bench.later(LEASE);
        await switchTo(to, id);
      };
      await switchTo(to, id, interrupted(call, when, meanwhile));
      await settle();
      await expectSwitched(id, from, to);
    },
  );

  test.each(CALLS)(
    'at the call to %s, %s it was carried out, cancelling ends with a cancelled order and nothing to pay',
    async (call, when) => {
      const id = await invoicedIn(from);
      await expect(switchTo(to, id, interrupted(call, when, die))).rejects.toThrow(ProcessDied);
      await bench.later(LEASE);
      // What was sent to create may still be carried out: that is settled first.
      for (let tries = 1; tries <= 3 && (await cancel(id)).id === null; tries++) await settle();
      await settle();
      expect(await payable(id)).toMatchObject({ QBO: 0, STRIPE: 0 });
      expect(await bench.sql('select status from purchase_order where id = ?', [id])).toEqual([
        { status: 'CANCELLED' },
      ]);
    },
  );

  test.each([
    ['void', 'before'],
    ['void', 'after'],
    ['create', 'before'],
    ['create', 'after'],
  ] as const)(
    'whose %s gets no answer although it was asked %s the cut, the switch stays open until it is known',
    async (call, when) => {
      const id = await invoicedIn(from);
      const provider = call === 'void' ? from : to;
      const path = {
        QBO: { void: 'operation=void', create: '/invoice?' },
        STRIPE: { void: 'POST /void', create: 'POST /finalize' },
      };
      if (provider === 'QBO')
        await bench.quickbooks.post('/faults', { kind: 'reset', when, match: { path: path.QBO[call] } });
      else await bench.stripe.fault(path.STRIPE[call], { kind: 'reset', when });
      expect(await switchTo(to, id)).toMatchObject(refusedAs('OUTCOME_UNKNOWN'));
      expect(await operations(id)).toEqual(['UNKNOWN']);
      await settle();
      await expectSwitched(id, from, to);
    },
  );
});

/** The void is sent, the process dies, and a reading shows that it was carried out. */
async function diesAfterVoid(from: Provider, to: Provider, id: string): Promise<void> {
  const { accounting, billing } = bench.context;
  const context =
    from === 'QBO'
      ? bench.with({ voidInvoice: (...call) => accounting.voidInvoice(...call).then(die) })
      : bench.withBilling({ voidInvoice: (...call) => billing.voidInvoice(...call).then(die) });
  await expect(switchTo(to, id, context)).rejects.toThrow(ProcessDied);
  const [invoice] = await bench.sql('select id from invoice where purchase_order_id = ?', [id]);
  await (from === 'QBO' ? syncInvoice : syncStripeInvoice)(bench.process(), invoice.id);
  expect(await invoices(id)).toEqual([`${from} VOIDED`]);
}

describe('races', () => {
  test.each([0, 20, 50, 100, 200])('a switch and a cancellation %i ms later end with one of both', async (delayMs) => {
    for (const from of PROVIDERS) {
      const id = await invoicedIn(from);
      const to = from === 'QBO' ? 'STRIPE' : 'QBO';
      const later = new Promise((resolve) => setTimeout(resolve, delayMs));
      await Promise.all([switchTo(to, id), later.then(() => cancel(id))]);
      await settle();
      const [order] = await bench.sql('select status from purchase_order where id = ?', [id]);
      const { QBO, STRIPE } = await payable(id);
      expect([order.status, QBO + STRIPE]).toEqual(order.status === 'CANCELLED' ? ['CANCELLED', 0] : ['SENT', 1]);
    }
  });

  test('switches, creations and cancellations all at once never leave two payable invoices', async () => {
    for (const from of PROVIDERS) {
      const id = await invoicedIn(from);
      await Promise.all([
        ...PROVIDERS.flatMap((provider) => [switchTo(provider, id), create(provider, id), switchTo(provider, id)]),
        cancel(id),
      ]);
      await settle();
      const live = (await invoices(id)).filter((invoice) => !invoice.endsWith('VOIDED'));
      const { QBO, STRIPE } = await payable(id);
      expect(live.length).toBe(QBO + STRIPE);
      const [order] = await bench.sql('select status from purchase_order where id = ?', [id]);
      expect(live.length).toBe(order.status === 'CANCELLED' ? 0 : 1);
    }
  });

  test('a void that a cancellation began is not taken for a switch', async () => {
    const id = await invoicedIn('STRIPE');
    await bench.stripe.fault('POST /void', { kind: 'reset', when: 'before' });
    await cancel(id);
    expect(await switchTo('QBO', id)).toMatchObject(refusedAs('IN_PROGRESS'));
    await resumeOperations(bench.process());
    expect(await bench.sql('select status from purchase_order where id = ?', [id])).toEqual([{ status: 'CANCELLED' }]);
  });

  test.each(WAYS)(
    'a switch from %s to %s that is given up after its void cancels nothing',
    async (_from, _to, from, to) => {
      const id = await invoicedIn(from);
      await diesAfterVoid(from, to, id);
      await issueCreditNote(bench.process(), { purchaseOrderId: id, amount: '10.00', reason: 'discount' });
      await settle();
      expect(await bench.sql('select status from purchase_order where id = ?', [id])).toEqual([{ status: 'SENT' }]);
      expect(await invoices(id)).toEqual([`${from} VOIDED`]);
      expect(await operations(id, ['VOID_INVOICE', 'SWITCH_PROVIDER'])).toEqual([
        'SWITCH_PROVIDER REFUSED',
        'VOID_INVOICE DONE',
      ]);
    },
  );

  test('nor does one that is taken back after its void, when the invoice cannot be made there either', async () => {
    const id = await invoicedIn('STRIPE');
    await diesAfterVoid('STRIPE', 'QBO', id);
    await bench.later(LEASE);
    await issueCreditNote(bench.process(), { purchaseOrderId: id, amount: '10.00', reason: 'discount' });
    expect(await switchTo('STRIPE', id)).toMatchObject(refusedAs('HAS_PAYMENTS_OR_CREDITS'));
    await settle();
    expect(await bench.sql('select status from purchase_order where id = ?', [id])).toEqual([{ status: 'SENT' }]);
    expect(await operations(id, ['VOID_INVOICE', 'SWITCH_PROVIDER'])).toEqual([
      'SWITCH_PROVIDER REFUSED',
      'VOID_INVOICE DONE',
    ]);
  });

  test('a void that a switch began cancels nothing, unless a person cancels', async () => {
    const id = await invoicedIn('STRIPE');
    await bench.stripe.fault('POST /void', { kind: 'reset', when: 'before' });
    expect(await switchTo('QBO', id)).toMatchObject(refusedAs('OUTCOME_UNKNOWN'));
    expect(await cancel(id)).toEqual({ id, failures: [] });
    expect(await operations(id)).toEqual(['REFUSED']);
    await settle();
    expect(await invoices(id)).toEqual(['STRIPE VOIDED']);
  });

  test('money that arrives between the void and the creation ends the switch with an order that shows it', async () => {
    const id = await invoicedIn('QBO');
    const voidInvoice: AccountingGateway['voidInvoice'] = async (...call) => {
      const answer = await bench.context.accounting.voidInvoice(...call);
      await recordPayment(bench.process(), { purchaseOrderId: id, amount: '100.00', method: 'WIRE' });
      return answer;
    };
    expect(await switchTo('STRIPE', id, bench.with({ voidInvoice }))).toMatchObject(
      refusedAs('HAS_PAYMENTS_OR_CREDITS'),
    );
    expect(await invoices(id)).toEqual(['QBO VOIDED']);
    expect(await balance(bench, id)).toBe('PARTIALLY_PAID paid 10000 credited 0 due 137500');
    expect(await operations(id)).toEqual(['REFUSED']);
  });
});

describe('W-Q17: the buyer pays at both providers', () => {
  test('both payments are booked, the order is OVERPAID, and a person is told to refund one', async () => {
    const { id, externalId } = await bench.invoicedOrder();
    const [{ id: connectionId }] = await bench.sql('select id from qbo_connection');
    const former = await bench.context.accounting.readInvoice(connectionId, externalId);
    if (!former.ok) throw new Error(former.failure.message);
    await switchTo('STRIPE', id);
    const rows = await bench.sql('select id, external_id from invoice where purchase_order_id = ? order by id', [id]);
    await bench.stripe.pay(rows[1]?.external_id);
    await syncStripeInvoice(bench.process(), rows[1]?.id);
    expect(await balance(bench, id)).toBe('PAID paid 147500 credited 0 due 0');
    // The voided invoice is there again, and paid.
    const { total } = former.value;
    const applications = [{ kind: 'invoice', externalId, amount: total }] as const;
    const payment = paymentOf(former.value, '9', { total, applications });
    const context = bench.with(showingAgain(bench, former.value, payment));
    await notify(bench, 'invoice', externalId, { context });

    expect(await invoices(id)).toEqual(['QBO VOIDED', 'STRIPE PAID']);
    expect(await money(bench, id)).toEqual([
      expect.stringMatching(/^inpay_\S+\/1 147500 /),
      expect.stringMatching(/^9\d+\/1 147500 2026-11-02 /),
    ]);
    expect(await balance(bench, id)).toBe('OVERPAID paid 295000 credited 0 due -147500');
    expect(await attention(bench, id)).toEqual([
      'PAID_TWICE Money was received on 2 invoices, 1475.00 USD more than is due. Refund the second payment.',
    ]);
  });
});
