import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { resumeOperations } from '../../../src/application/invoicing/resume-operations.js';
import type { BillingGateway, InvoiceSending } from '../../../src/application/ports/billing.js';
import { failed } from '../../../src/application/ports/provider.js';
import { recordPayment } from '../../../src/application/purchase-orders/record-payment.js';
import { configureStripe } from '../../../src/application/stripe/configure-stripe.js';
import { createStripeInvoice } from '../../../src/application/stripe/create-stripe-invoice.js';
import { sweepStripeConnection } from '../../../src/application/stripe/sweep-stripe-connection.js';
import { processStripeEvents } from '../../../src/application/webhooks/process-stripe-events.js';
import { type StripeWorkbench, startStripeWorkbench } from '../../support/stripe-workbench.js';
import { die, ProcessDied } from '../../support/workbench.js';
import { billed, invoiceRows, leftBehind, NOTHING, operations, PAYABLE, STEPS } from './stripe-orders.js';

let bench: StripeWorkbench;

beforeAll(async () => {
  bench = await startStripeWorkbench();
});

beforeEach(async () => {
  await bench.stripe.delete('/faults');
  await bench.stripe.delete('/requests');
});

afterAll(() => bench.stop());

const create = (purchaseOrderId: string) => createStripeInvoice(bench.process(), { purchaseOrderId });

/** Exactly one invoice, payable, with each line once, and recorded as it is. */
async function expectOneInvoice(purchaseOrderId: string): Promise<void> {
  const [invoice, ...others] = await billed(bench, purchaseOrderId);
  expect(others).toEqual([]);
  expect(invoice).toMatchObject(PAYABLE);
  expect(await invoiceRows(bench, purchaseOrderId)).toMatchObject([
    {
      provider: 'STRIPE',
      status: 'OPEN',
      external_id: invoice?.id,
      number: invoice?.number,
      pay_url: invoice?.hosted_invoice_url,
      total_minor: '147500',
      balance_minor: '147500',
      matches_purchase_order: true,
    },
  ]);
  expect(await bench.sql('select status from purchase_order where id = ?', [purchaseOrderId])).toEqual([
    { status: 'SENT' },
  ]);
}

const UNKNOWN = { id: null, failures: [{ code: 'OUTCOME_UNKNOWN' }] };

const BROKEN = [
  ['the connection is cut', { kind: 'reset' }],
  ['the answer is cut off half way', { kind: 'truncate' }],
  ['the answer is an HTML page with status 502', { kind: 'html502' }],
  ['the answer is status 503 without a word', { kind: 'status', status: 503 }],
] as const;

describe.each(STEPS)('W-S7: when at the %s', (step, call, skip) => {
  describe.each(BROKEN)('%s', (_what, fault) => {
    test.each(['before', 'after'])('%s Stripe committed, asking again ends with exactly one invoice', async (when) => {
      const purchaseOrderId = await bench.order();
      await bench.stripe.fault(call, { ...fault, when, skip });

      expect(await create(purchaseOrderId)).toMatchObject(UNKNOWN);
      expect(await invoiceRows(bench, purchaseOrderId)).toMatchObject([{ status: 'UNKNOWN' }]);
      expect(await billed(bench, purchaseOrderId)).not.toMatchObject([PAYABLE, PAYABLE]);

      expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });
      await expectOneInvoice(purchaseOrderId);
      expect(await operations(bench, purchaseOrderId)).toMatchObject([{ state: 'DONE', attempts: 2, generation: 1 }]);
    });
  });

  test('Stripe has no room for the call, the background goes on from there', async () => {
    const purchaseOrderId = await bench.order();
    await bench.stripe.fault(call, { kind: '429', skip });

    const first = await create(purchaseOrderId);
    if (step === 'draft') {
      expect(first).toMatchObject({ id: null, failures: [{ code: 'STRIPE_UNAVAILABLE', statusCode: 429 }] });
      expect(await leftBehind(bench, purchaseOrderId)).toEqual(NOTHING);
      expect(await create(purchaseOrderId)).toMatchObject({ failures: [] });
    } else {
      expect(first).toMatchObject(UNKNOWN);
      expect(await invoiceRows(bench, purchaseOrderId)).toMatchObject([
        { status: 'UNKNOWN', external_id: expect.stringMatching(/^in_/) },
      ]);
      expect(await resumeOperations(bench.process())).toBe(1);
    }
    await expectOneInvoice(purchaseOrderId);
  });

  test('the key is refused, the invoice waits for another key and is then gone on with', async () => {
    const purchaseOrderId = await bench.order();
    await bench.stripe.fault(call, { kind: 'error', status: 401, message: 'Invalid API Key provided', skip });

    const first = await create(purchaseOrderId);

    expect(first).toMatchObject({
      id: null,
      failures: [{ code: step === 'draft' ? 'RECONNECT_REQUIRED' : 'OUTCOME_UNKNOWN' }],
    });
    if (step === 'draft') {
      expect(await leftBehind(bench, purchaseOrderId)).toEqual(NOTHING);
      expect(await create(purchaseOrderId)).toMatchObject({ failures: [{ code: 'RECONNECT_REQUIRED' }] });
      expect(await bench.stripe.calls('?kind=write')).toHaveLength(2);
    }
    const { secretKey } = bench.stripe.account;
    await configureStripe(bench.process(), { conferenceId: bench.conferenceId, secretKey, webhookSecret: '' });
    expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });
    await expectOneInvoice(purchaseOrderId);
  });

  test('Stripe refuses it, nothing is left and the next call makes a new one', async () => {
    const purchaseOrderId = await bench.order();
    const idempotencyKey = `key-${purchaseOrderId}`;
    await bench.stripe.fault(call, { kind: 'error', message: 'No, not this one', code: 'amount_too_small', skip });

    expect(await createStripeInvoice(bench.process(), { purchaseOrderId, idempotencyKey })).toEqual({
      id: null,
      failures: [
        {
          code: 'STRIPE_REJECTED',
          message: 'Stripe refused this: No, not this one.',
          path: [],
          stripeCode: 'amount_too_small',
          statusCode: 400,
          requestId: expect.stringMatching(/^req_/),
        },
      ],
    });
    expect(await leftBehind(bench, purchaseOrderId)).toEqual(NOTHING);

    expect(await createStripeInvoice(bench.process(), { purchaseOrderId, idempotencyKey })).toMatchObject({
      failures: [],
    });
    await expectOneInvoice(purchaseOrderId);
    expect(await operations(bench, purchaseOrderId)).toMatchObject([{ state: 'REFUSED' }, { state: 'DONE' }]);
  });

  test.each(['before', 'after'])(
    'an internal error that Stripe repeats under the same key came %s it committed, a new key gets over it later',
    async (when) => {
      const purchaseOrderId = await bench.order();
      await bench.stripe.fault(call, { kind: '500', when, skip });

      expect(await create(purchaseOrderId)).toMatchObject(UNKNOWN);
      expect(await create(purchaseOrderId)).toMatchObject(UNKNOWN);
      expect((await bench.stripe.requests('?kind=write')).filter(({ replayed }) => replayed)).not.toEqual([]);
      await bench.later(16 * 60_000);
      // Until then the second sending may be under way, unless its draft is known and gone.
      await create(purchaseOrderId);
      await bench.later(16 * 60_000);
      await create(purchaseOrderId);

      await expectOneInvoice(purchaseOrderId);
    },
  );

  test('it is refused and the draft cannot be deleted, that is unknown until it can', async () => {
    const purchaseOrderId = await bench.order();
    await bench.stripe.fault(call, { kind: 'error', message: 'No, not this one', code: 'amount_too_small', skip });
    await bench.stripe.fault('DELETE /v1/invoices', { kind: 'reset', when: 'before' });

    const first = await create(purchaseOrderId);
    expect(first).toMatchObject(step === 'draft' ? { failures: [{ code: 'STRIPE_REJECTED' }] } : UNKNOWN);

    expect(await create(purchaseOrderId)).toMatchObject({ id: purchaseOrderId });
    await expectOneInvoice(purchaseOrderId);
  });
});

describe('W-S7: when the process dies', () => {
  const DEATHS = [
    ['before it sends anything', { createInvoice: async () => die() }],
    [
      'before it stores the id of the draft',
      {
        createInvoice: (connectionId: string, sending: InvoiceSending) =>
          bench.context.billing.createInvoice(connectionId, { ...sending, onDraft: async () => die() }),
      },
    ],
    [
      'after it stored the id of the draft',
      {
        createInvoice: (connectionId: string, sending: InvoiceSending) =>
          bench.context.billing.createInvoice(connectionId, {
            ...sending,
            onDraft: async (externalId) => {
              await sending.onDraft(externalId);
              die();
            },
          }),
      },
    ],
    [
      'before it records the invoice',
      {
        createInvoice: async (connectionId: string, sending: InvoiceSending) => {
          await bench.context.billing.createInvoice(connectionId, sending);
          return die();
        },
      },
    ],
  ] as const;

  test.each(DEATHS)('%s, the background ends it with exactly one invoice', async (_where, replaced) => {
    const purchaseOrderId = await bench.order();
    await expect(createStripeInvoice(bench.withBilling(replaced), { purchaseOrderId })).rejects.toThrow(ProcessDied);
    expect(await create(purchaseOrderId)).toMatchObject({ failures: [{ code: 'IN_PROGRESS' }] });
    expect(await resumeOperations(bench.process())).toBe(0);

    await bench.later(bench.context.waits.operationLeaseMs);
    expect(await resumeOperations(bench.process())).toBe(1);

    await expectOneInvoice(purchaseOrderId);
    expect(await resumeOperations(bench.process())).toBe(0);
  });

  test.each(DEATHS)(
    '%s and nobody comes back for 16 minutes, there is exactly one invoice in the end',
    async (_where, replaced) => {
      const purchaseOrderId = await bench.order();
      await expect(createStripeInvoice(bench.withBilling(replaced), { purchaseOrderId })).rejects.toThrow(ProcessDied);
      await bench.later(16 * 60_000);

      expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });
      await expectOneInvoice(purchaseOrderId);
    },
  );
});

test('W-S7: twenty calls at once make one invoice', async () => {
  const purchaseOrderId = await bench.order();
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => create(purchaseOrderId)));
  const codes = outcomes.map(({ failures }) => failures[0]?.code);
  expect(codes.filter((code) => code === undefined)).toHaveLength(1);
  expect(codes.filter((code) => code !== undefined && !['IN_PROGRESS', 'ALREADY_INVOICED'].includes(code))).toEqual([]);
  await expectOneInvoice(purchaseOrderId);
});

test('W-S7: an answer that stays lost several times is still one invoice, sent each time under the same keys', async () => {
  const purchaseOrderId = await bench.order();
  await bench.stripe.fault('POST /finalize', { kind: 'reset', when: 'after', times: 3 });
  for (let call = 1; call <= 3; call++) expect(await create(purchaseOrderId)).toMatchObject(UNKNOWN);
  expect(await create(purchaseOrderId)).toMatchObject({ failures: [] });
  await expectOneInvoice(purchaseOrderId);
  const keys = (await bench.stripe.requests('?kind=write')).map(
    ({ path, idempotencyKey }) => `${path} ${idempotencyKey}`,
  );
  // A customer, a draft, two items and a finalisation; the draft is not asked for again.
  expect(new Set(keys).size).toBe(5);
  const [{ id }] = await operations(bench, purchaseOrderId);
  expect(keys.slice(1, 5).map((key) => key.split(' ')[1])).toEqual([
    `${id}:invoice`,
    `${id}:item:0`,
    `${id}:item:1`,
    `${id}:finalize`,
  ]);
});

test('a stalled sender that comes back after its successor began makes no second invoice', async () => {
  const purchaseOrderId = await bench.order();
  const resumed = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const stalled = createStripeInvoice(
    bench.withBilling({
      createInvoice: async (connectionId, sending) => {
        begun.resolve();
        await resumed.promise;
        return bench.context.billing.createInvoice(connectionId, sending);
      },
    }),
    { purchaseOrderId },
  );
  await begun.promise;
  await bench.later(16 * 60_000);
  expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });

  resumed.resolve();

  expect(await stalled).toMatchObject({ id: null, failures: [{ code: 'IN_PROGRESS' }] });
  await expectOneInvoice(purchaseOrderId);
});

test('a draft that was deleted by a process that died before it said so is made anew, for the same customer', async () => {
  const purchaseOrderId = await bench.order();
  await bench.stripe.fault('POST /v1/invoiceitems', { kind: 'error', message: 'No', code: 'amount_too_small' });
  const deleteDraft: BillingGateway['deleteDraft'] = (...call) => bench.context.billing.deleteDraft(...call).then(die);
  const dying = createStripeInvoice(bench.withBilling({ deleteDraft }), { purchaseOrderId });
  await expect(dying).rejects.toThrow(ProcessDied);
  const links = await bench.sql('select id, external_id from stripe_customer');
  await bench.later(181_000);

  expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });

  await expectOneInvoice(purchaseOrderId);
  expect(await bench.sql('select id, external_id from stripe_customer')).toEqual(links);
});

/** All that Stripe has to tell; one run of the worker takes only a share. */
async function workOffEvents(): Promise<void> {
  await sweepStripeConnection(bench.process(), bench.stripeConnectionId);
  while ((await processStripeEvents(bench.process(), bench.stripeConnectionId)) > 0);
}

describe('the draft of a sender that was overtaken before it made it', () => {
  test.each(['cannot be deleted', 'is left by a process that dies, and an event tells of it'])(
    'and that %s is deleted by the worker of events',
    async (how) => {
      const purchaseOrderId = await bench.order();
      const resumed = Promise.withResolvers<void>();
      const begun = Promise.withResolvers<void>();
      const createInvoice: BillingGateway['createInvoice'] = async (connectionId, sending) => {
        begun.resolve();
        await resumed.promise;
        const onDraft = how.startsWith('cannot') ? sending.onDraft : () => die();
        return bench.context.billing.createInvoice(connectionId, { ...sending, onDraft });
      };
      const stalled = createStripeInvoice(bench.withBilling({ createInvoice }), { purchaseOrderId });
      await begun.promise;
      await bench.later(16 * 60_000);
      expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });
      await bench.stripe.fault('DELETE /v1/invoices', { kind: 'reset', when: 'before' });
      resumed.resolve();
      await stalled.catch((error) => expect(error).toBeInstanceOf(ProcessDied));
      expect(await billed(bench, purchaseOrderId)).toHaveLength(2);

      await bench.stripe.delete('/faults');
      await workOffEvents();

      await expectOneInvoice(purchaseOrderId);
    },
  );
});

test('a draft of ours that a person finalised after it was given up is told to people', async () => {
  const purchaseOrderId = await bench.order();
  await bench.stripe.fault('POST /^.v1.invoices$/', { kind: 'reset', when: 'after' });
  await create(purchaseOrderId);
  const [draft] = await billed(bench, purchaseOrderId);
  await bench.sql("update provider_operation set state = 'REFUSED' where subject = ?", [purchaseOrderId]);
  await bench.stripe.api('POST', `/v1/invoices/${draft?.id}/finalize`);
  await bench.later(16 * 60_000);
  await workOffEvents();
  expect(
    await bench.sql('select distinct state, last_error from webhook_event where entity_id = ?', [draft?.id]),
  ).toEqual([
    { state: 'RECEIVED', last_error: expect.stringContaining(`${draft?.id} was finalised after it was given up`) },
  ]);
});

describe('a stalled sender whose call fails after its successor made the invoice leaves that alone', () => {
  const unavailable = { kind: 'unavailable', message: 'no answer', trace: {} } as const;

  test.each(['before', 'after'])('when it was held up %s the draft', async (when) => {
    const purchaseOrderId = await bench.order();
    const resumed = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const heldUp = () => {
      begun.resolve();
      return resumed.promise;
    };
    const createInvoice: BillingGateway['createInvoice'] = async (connectionId, sending) => {
      if (when === 'before') {
        await heldUp();
        return failed(unavailable);
      }
      const onDraft = (draftId: string) => sending.onDraft(draftId).then(heldUp);
      return bench.context.billing.createInvoice(connectionId, { ...sending, onDraft });
    };
    const stalled = createStripeInvoice(bench.withBilling({ createInvoice }), { purchaseOrderId });
    await begun.promise;
    await bench.later(16 * 60_000);
    expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });

    resumed.resolve();

    expect(await stalled).toMatchObject({ id: null, failures: [{ code: 'IN_PROGRESS' }] });
    await expectOneInvoice(purchaseOrderId);
    expect(await create(purchaseOrderId)).toMatchObject({ id: null, failures: [{ code: 'ALREADY_INVOICED' }] });
    await expectOneInvoice(purchaseOrderId);
  });
});

describe('an order that is paid while the outcome is unknown', () => {
  test('gets no invoice: the draft is deleted', async () => {
    const purchaseOrderId = await bench.order();
    await bench.stripe.fault('POST /v1/invoiceitems', { kind: 'reset', when: 'before' });
    await create(purchaseOrderId);
    await recordPayment(bench.process(), { purchaseOrderId, amount: '1475.00', method: 'WIRE' });

    expect(await create(purchaseOrderId)).toMatchObject({ id: null, failures: [{ code: 'ALREADY_PAID' }] });
    expect(await leftBehind(bench, purchaseOrderId)).toEqual(NOTHING);
  });

  test('keeps the invoice that was made before', async () => {
    const purchaseOrderId = await bench.order();
    await bench.stripe.fault('POST /finalize', { kind: 'reset', when: 'after' });
    await create(purchaseOrderId);
    await recordPayment(bench.process(), { purchaseOrderId, amount: '1475.00', method: 'WIRE' });

    expect(await create(purchaseOrderId)).toEqual({ id: purchaseOrderId, failures: [] });
    expect(await billed(bench, purchaseOrderId)).toMatchObject([PAYABLE]);
    expect(await invoiceRows(bench, purchaseOrderId)).toMatchObject([{ status: 'OPEN' }]);
  });

  test('waits as long as a draft may still appear', async () => {
    const purchaseOrderId = await bench.order();
    await bench.stripe.fault('POST /^.v1.invoices$/', { kind: 'reset', when: 'before' });
    await create(purchaseOrderId);
    await recordPayment(bench.process(), { purchaseOrderId, amount: '1475.00', method: 'WIRE' });

    expect(await create(purchaseOrderId)).toMatchObject(UNKNOWN);
    await bench.later(16 * 60_000);
    expect(await create(purchaseOrderId)).toMatchObject({ failures: [{ code: 'ALREADY_PAID' }] });
    expect(await leftBehind(bench, purchaseOrderId)).toEqual(NOTHING);
  });
});
