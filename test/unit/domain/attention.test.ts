import { describe, expect, test } from '@jest/globals';
import type { CurrencyCode } from '../../../src/domain/currency.js';
import { InvoiceStatus } from '../../../src/domain/invoice/invoice.status.js';
import { minorUnits } from '../../../src/domain/money.js';
import { attentionOf } from '../../../src/domain/purchase-order/attention.js';

const USD = 'USD' as CurrencyCode;
const CANCELLED = new Date('2026-11-05T12:00:00Z');
const CREATED = new Date('2026-11-01T12:00:00Z');
const UPDATED = new Date('2026-11-02T12:00:00Z');

type Facts = Parameters<typeof attentionOf>[0];
const order = (fields: Partial<Facts> = {}): Facts => ({
  currencyCode: USD,
  totalMinor: minorUnits(147_500n),
  paidMinor: minorUnits(0n),
  creditedMinor: minorUnits(0n),
  cancelledAt: null,
  invoice: undefined,
  otherInvoices: [],
  booked: new Map(),
  unappliedCredits: [],
  ...fields,
});
const invoice = (fields: Partial<NonNullable<Facts['invoice']>> = {}): NonNullable<Facts['invoice']> => ({
  id: 'inv_1',
  provider: 'QBO',
  status: 'OPEN',
  externalId: '155',
  number: '1001',
  matchesPurchaseOrder: true,
  totalMinor: minorUnits(147_500n),
  customerCreditMinor: minorUnits(0n),
  balanceMinor: minorUnits(147_500n),
  refundedMinor: minorUnits(0n),
  processingMinor: minorUnits(0n),
  isDisputed: false,
  currencyCode: USD,
  createdAt: CREATED,
  updatedAt: UPDATED,
  ...fields,
});

/** What is booked on one invoice. */
const received = (id: string, money: bigint, since = CREATED) =>
  new Map([[id, { money: minorUnits(money), credit: minorUnits(0n), since }]]);

describe('what a person should look at', () => {
  test('is nothing while all is well', () => {
    expect(attentionOf(order())).toEqual([]);
    expect(attentionOf(order({ invoice: invoice(), paidMinor: minorUnits(147_500n) }))).toEqual([]);
    expect(attentionOf(order({ cancelledAt: CANCELLED }))).toEqual([]);
  });

  test('W-C8: money received for a cancelled order, since it was cancelled', () => {
    expect(attentionOf(order({ cancelledAt: CANCELLED, paidMinor: minorUnits(50_000n) }))).toEqual([
      { code: 'REFUND_DUE', since: CANCELLED, message: '500.00 USD was received for a cancelled purchase order.' },
    ]);
  });

  test('an order that a move to another provider left without an invoice, until it is settled or cancelled', () => {
    const failedSwitch = { reason: 'No more invoices.', since: UPDATED };
    const lacking = order({ invoice: invoice({ status: 'VOIDED', balanceMinor: minorUnits(0n) }), failedSwitch });
    expect(attentionOf(lacking)).toEqual([
      {
        code: 'SWITCH_FAILED',
        since: UPDATED,
        message:
          'The invoice in QuickBooks was voided to move the purchase order to another provider, where none could be made: it has no invoice now. No more invoices.',
      },
    ]);
    expect(attentionOf({ ...lacking, cancelledAt: CANCELLED })).toEqual([]);
    expect(attentionOf({ ...lacking, paidMinor: minorUnits(147_500n) })).toEqual([]);
    expect(attentionOf({ ...lacking, invoice: invoice() })).toEqual([]);
  });

  test('W-C16: amounts are written in their own currency', () => {
    const facts = order({ currencyCode: 'JPY' as CurrencyCode, cancelledAt: CANCELLED, paidMinor: minorUnits(500n) });
    expect(attentionOf(facts)[0]?.message).toBe('500 JPY was received for a cancelled purchase order.');
  });

  test('W-Q17: money on the former invoice and on the one that took its place, since the second one was paid', () => {
    const twice = new Map([...received('inv_1', 147_500n, UPDATED), ...received('inv_0', 147_500n)]);
    const paid = {
      paidMinor: minorUnits(295_000n),
      invoice: invoice({ balanceMinor: minorUnits(0n), status: 'PAID' }),
    };
    expect(attentionOf(order({ ...paid, booked: twice }))).toEqual([
      {
        code: 'PAID_TWICE',
        since: UPDATED,
        message: 'Money was received on 2 invoices, 1475.00 USD more than is due. Refund the second payment.',
      },
    ]);
    const inParts = new Map([...received('inv_1', 100_000n), ...received('inv_0', 47_500n)]);
    const settled = {
      ...paid,
      invoice: invoice({ balanceMinor: minorUnits(47_500n) }),
      paidMinor: minorUnits(147_500n),
    };
    expect(attentionOf(order({ ...settled, booked: inParts }))).toEqual([]);
  });

  test('W-S18: a bank debit on its way, and a dispute that is not decided', () => {
    const moving = invoice({ provider: 'STRIPE', processingMinor: minorUnits(147_500n), isDisputed: true });
    expect(attentionOf(order({ invoice: moving }))).toEqual([
      {
        code: 'PAYMENT_PROCESSING',
        since: UPDATED,
        message: '1475.00 USD is on its way through Stripe; banks take days.',
      },
      {
        code: 'PAYMENT_DISPUTED',
        since: UPDATED,
        message: 'A payment is disputed: answer the bank in Stripe.',
      },
    ]);
  });

  test('an invoice that is not over what was ordered, since it was made', () => {
    const differing = invoice({
      matchesPurchaseOrder: false,
      totalMinor: minorUnits(150_000n),
      balanceMinor: minorUnits(150_000n),
    });
    expect(attentionOf(order({ invoice: differing }))).toEqual([
      {
        code: 'TOTAL_DIFFERS',
        since: CREATED,
        message: 'The invoice is over 1500.00 USD, the purchase order over 1475.00 USD, or their lines differ.',
      },
    ]);
  });

  test('more or less settled at the provider than is booked from there, since that was read last', () => {
    const settled = (balance: bigint, fields = {}) => invoice({ balanceMinor: minorUnits(balance), ...fields });
    const booked = received('inv_1', 10_000n);
    const message = 'QuickBooks says that 150.00 USD of the invoice is settled; 100.00 USD is booked here.';
    expect(attentionOf(order({ invoice: settled(132_500n), booked }))).toEqual([
      { code: 'BALANCE_DIFFERS', since: UPDATED, message },
    ]);
    expect(attentionOf(order({ invoice: settled(147_500n), booked }))).toMatchObject([{ code: 'BALANCE_DIFFERS' }]);
    expect(attentionOf(order({ invoice: settled(137_500n), booked }))).toEqual([]);
    const refunded = { refundedMinor: minorUnits(5_000n) };
    expect(attentionOf(order({ invoice: settled(132_500n, refunded), booked }))).toEqual([]);
    for (const fields of [{ status: 'VOIDED' }, { status: 'DELETED' }, { currencyCode: 'JPY' as CurrencyCode }]) {
      expect(attentionOf(order({ invoice: settled(132_500n, fields), booked }))).toEqual([]);
    }
  });

  test('an earlier invoice that asks for money again, since it does', () => {
    const again = (fields = {}) => [invoice({ status: 'VOIDED', balanceMinor: minorUnits(5_000n), ...fields })];
    const message = (name: string) =>
      `QuickBooks invoice ${name}, which was voided or deleted before, asks for 50.00 USD beside the live invoice. Void one of them.`;
    expect(attentionOf(order({ invoice: invoice(), otherInvoices: again() }))).toEqual([
      { code: 'SECOND_INVOICE', since: UPDATED, message: message('1001') },
    ]);
    expect(attentionOf(order({ otherInvoices: again({ number: null }) }))).toMatchObject([{ message: message('155') }]);
    expect(attentionOf(order({ otherInvoices: again({ balanceMinor: minorUnits(0n) }) }))).toEqual([]);
  });

  test.each([InvoiceStatus.VOIDED, InvoiceStatus.DELETED])(
    'a differing invoice that is %s no longer matters',
    (status) => {
      expect(attentionOf(order({ invoice: invoice({ matchesPurchaseOrder: false, status }) }))).toEqual([]);
    },
  );

  test('an invoice of which nobody knows whether it exists, since that was noticed', () => {
    expect(attentionOf(order({ invoice: invoice({ status: 'UNKNOWN' }) }))).toEqual([
      {
        code: 'OUTCOME_UNKNOWN',
        since: UPDATED,
        message: 'It is not known yet whether the provider made the invoice. Do not invoice it by hand.',
      },
    ]);
  });

  test('what is known of an invoice of unknown outcome', () => {
    const [attention] = attentionOf(
      order({ invoice: invoice({ status: 'UNKNOWN' }), trouble: 'Invoice 7 may be it.' }),
    );
    expect(attention?.message).toMatch(/Do not invoice it by hand\. Invoice 7 may be it\.$/);
  });

  test.each(Object.values(InvoiceStatus).filter((status) => status !== InvoiceStatus.UNKNOWN))(
    'a matching invoice that is %s needs nobody',
    (status) => {
      expect(attentionOf(order({ invoice: invoice({ status }) }))).toEqual([]);
    },
  );

  test('every rest of a payment that is applied to nothing, in its own currency, since it is', () => {
    const credit = (providerPaymentId: string, amount: bigint, currencyCode = USD, since = UPDATED) => ({
      providerPaymentId,
      amountMinor: minorUnits(amount),
      currencyCode,
      since,
    });
    const unappliedCredits = [credit('183', 12_500n), credit('190', 700n, 'JPY' as CurrencyCode, CREATED)];
    expect(attentionOf(order({ unappliedCredits }))).toEqual([
      {
        code: 'UNAPPLIED_CREDIT',
        since: UPDATED,
        message: '125.00 USD of payment 183 is applied to no invoice in QuickBooks.',
      },
      {
        code: 'UNAPPLIED_CREDIT',
        since: CREATED,
        message: '700 JPY of payment 190 is applied to no invoice in QuickBooks.',
      },
    ]);
  });

  test('several things at once', () => {
    const unknown = invoice({ status: 'UNKNOWN', matchesPurchaseOrder: false });
    const facts = order({ cancelledAt: CANCELLED, paidMinor: minorUnits(1n), invoice: unknown });
    expect(attentionOf(facts).map(({ code }) => code)).toEqual(['REFUND_DUE', 'TOTAL_DIFFERS', 'OUTCOME_UNKNOWN']);
  });
});
