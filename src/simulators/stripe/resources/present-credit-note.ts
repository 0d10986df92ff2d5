import type { CreditNote, JsonObject } from '../books/model.js';
import type { Work } from '../books/work.js';

export function presentCreditNote({ settings }: Work, note: CreditNote): JsonObject {
  return {
    id: note.id,
    object: 'credit_note',
    amount: note.amount,
    amount_shipping: 0,
    created: note.created,
    currency: note.currency,
    customer: note.customer,
    customer_account: null,
    customer_balance_transaction: note.balanceTransaction,
    discount_amount: 0,
    discount_amounts: [],
    effective_at: note.created,
    invoice: note.invoice,
    lines: {
      object: 'list',
      data: [presentCreditLine(settings.livemode, note)],
      has_more: false,
      url: `/v1/credit_notes/${note.id}/lines`,
    },
    livemode: settings.livemode,
    memo: note.memo,
    metadata: { ...note.metadata },
    number: note.number,
    out_of_band_amount: note.outOfBandAmount,
    pdf: `https://pay.stripe.com/credit_notes/${settings.accountId}/${note.id}/pdf?s=ap`,
    post_payment_amount: note.postPaymentAmount,
    pre_payment_amount: note.prePaymentAmount,
    pretax_credit_amounts: [],
    reason: note.reason,
    refunds: note.refunds.map(({ refund, amount }) => ({
      amount_refunded: amount,
      payment_record_refund: null,
      refund,
      type: 'refund',
    })),
    shipping_cost: null,
    status: note.status,
    subtotal: note.amount,
    subtotal_excluding_tax: note.amount,
    total: note.amount,
    total_excluding_tax: note.amount,
    total_taxes: [],
    type: typeOf(note),
    voided_at: note.voidedAt,
  };
}

function typeOf({ prePaymentAmount, postPaymentAmount }: CreditNote): string {
  if (postPaymentAmount === 0) return 'pre_payment';
  return prePaymentAmount === 0 ? 'post_payment' : 'mixed';
}

function presentCreditLine(livemode: boolean, note: CreditNote): JsonObject {
  return {
    id: note.lineId,
    object: 'credit_note_line_item',
    amount: note.amount,
    description: null,
    discount_amount: 0,
    discount_amounts: [],
    livemode,
    metadata: {},
    pretax_credit_amounts: [],
    quantity: 1,
    tax_rates: [],
    taxes: [],
    type: 'custom_line_item',
    unit_amount: note.amount,
    unit_amount_decimal: `${note.amount}`,
  };
}
