import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import type {
  CreditNoteView,
  LineItemView,
  PaymentView,
} from '../../../application/queries/purchase-order-relations.js';
import type { PurchaseOrderView } from '../../../application/queries/purchase-order-view.js';
import type { CurrencyCode } from '../../../domain/currency.js';
import type { MinorUnits } from '../../../domain/money.js';
import type { AttentionCode } from '../../../domain/purchase-order/attention.js';
import { CreditNoteSource } from '../../../domain/purchase-order/credit-note.entity.js';
import { PaymentMethod, PaymentSource } from '../../../domain/purchase-order/payment.entity.js';
import { PurchaseOrderStatus } from '../../../domain/purchase-order/purchase-order.status.js';
import { connectionType } from '../connection.js';
import { Money } from '../money.type.js';
import { Node } from '../node/node.type.js';
import { CalendarDate, CurrencyCodeEnum, DateTime } from '../scalars.js';

registerEnumType(PurchaseOrderStatus, {
  name: 'PurchaseOrderStatus',
  description: 'Where a purchase order stands. Derived from its payments and credit notes.',
  valuesConfig: {
    DRAFT: { description: 'Neither sent nor invoiced nor paid.' },
    SENT: { description: 'Sent or invoiced; no money arrived.' },
    PARTIALLY_PAID: { description: 'Some money arrived, some is due.' },
    PAID: { description: 'Nothing is due.' },
    OVERPAID: { description: 'More was paid and credited than is due.' },
    CANCELLED: { description: 'Cancelled for good.' },
  },
});

registerEnumType(PaymentMethod, {
  name: 'PaymentMethod',
  description: 'How money came.',
  valuesConfig: {
    WIRE: { description: 'Wire transfer.' },
    ACH: { description: 'ACH transfer.' },
    CHECK: { description: 'Cheque.' },
    CARD: { description: 'Card.' },
    STRIPE: { description: 'Through Stripe; booked by itself.' },
    QBO: { description: 'Received in QuickBooks; booked by itself.' },
    OTHER: { description: 'Some other way.' },
  },
});

registerEnumType(PaymentSource, {
  name: 'PaymentSource',
  description: 'Who told us of a payment.',
  valuesConfig: {
    MANUAL: { description: 'A person or program, through `recordPayment`.' },
    QBO: { description: 'QuickBooks.' },
    STRIPE: { description: 'Stripe.' },
  },
});

registerEnumType(CreditNoteSource, {
  name: 'CreditNoteSource',
  description: 'Who told us of a credit.',
  valuesConfig: {
    MANUAL: { description: 'A person or program, through `issueCreditNote`.' },
    QBO: { description: 'QuickBooks, where it was applied to the invoice.' },
    STRIPE: { description: 'Stripe, by a credit note on the invoice.' },
  },
});

export const AttentionCodeEnum: Record<AttentionCode, AttentionCode> = {
  REFUND_DUE: 'REFUND_DUE',
  PAID_TWICE: 'PAID_TWICE',
  TOTAL_DIFFERS: 'TOTAL_DIFFERS',
  BALANCE_DIFFERS: 'BALANCE_DIFFERS',
  SECOND_INVOICE: 'SECOND_INVOICE',
  OUTCOME_UNKNOWN: 'OUTCOME_UNKNOWN',
  SWITCH_FAILED: 'SWITCH_FAILED',
  PAYMENT_PROCESSING: 'PAYMENT_PROCESSING',
  PAYMENT_DISPUTED: 'PAYMENT_DISPUTED',
  UNAPPLIED_CREDIT: 'UNAPPLIED_CREDIT',
};

registerEnumType(AttentionCodeEnum, {
  name: 'AttentionCode',
  description: 'What a person should look at.',
  valuesConfig: {
    REFUND_DUE: { description: 'Money was received for a cancelled purchase order.' },
    PAID_TWICE: { description: 'Money was received on more than one invoice, and more than is due.' },
    TOTAL_DIFFERS: { description: 'The live invoice is not what was asked for: total, currency or lines differ.' },
    BALANCE_DIFFERS: {
      description:
        'More or less of the live invoice is settled at the provider than payments and credits from there are booked.',
    },
    SECOND_INVOICE: { description: 'An invoice that was voided or deleted is there again beside the live one.' },
    OUTCOME_UNKNOWN: { description: 'It is not known yet whether the provider made the invoice.' },
    SWITCH_FAILED: {
      description:
        'Its invoice was voided to move it to another provider, which refused to make one: it has no invoice now.',
    },
    PAYMENT_PROCESSING: { description: 'A bank debit that the buyer began is on its way; it takes days and may fail.' },
    PAYMENT_DISPUTED: { description: "The buyer's bank disputes a payment, and that is not decided yet." },
    UNAPPLIED_CREDIT: {
      description: 'A rest of a payment that was booked here, or once was, is applied to no invoice at the provider.',
    },
  },
});

@ObjectType('Attention', {
  description: 'Something a person should look at. It goes away by itself once its cause is gone.',
  simpleResolvers: true,
})
export class AttentionType {
  @Field(() => AttentionCodeEnum, { description: 'What it is.' })
  code!: AttentionCode;

  @Field(() => DateTime, { description: 'Since when.' })
  since!: Date;

  @Field(() => String, { description: 'What happened, for a person.' })
  message!: string;
}

@ObjectType('LineItem', { description: 'A line of a purchase order.', simpleResolvers: true })
export class LineItemType {
  @Field(() => ID, { description: 'Its id.' })
  id!: string;

  @Field(() => String, { description: 'What is ordered.' })
  description!: string;

  @Field(() => Int, { description: 'How many.' })
  quantity!: number;

  @Field(() => Money, { description: 'Price of one.' })
  unitPrice!: Money;

  @Field(() => Money, { description: 'Quantity × unit price.' })
  lineTotal!: Money;
}

@ObjectType('PaymentReversal', {
  description: 'Takes a payment back, because it was entered by mistake or changed at the provider.',
  simpleResolvers: true,
})
export class PaymentReversalType {
  @Field(() => ID, { description: 'Its id.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'Why; internal. Null for a buyer portal.' })
  reason!: string | null;

  @Field(() => DateTime, { description: 'When it was recorded.' })
  createdAt!: Date;
}

@ObjectType('Payment', {
  implements: Node,
  simpleResolvers: true,
  description: 'Money received. Never changed, only reversed.',
})
export class PaymentType extends Node {
  @Field(() => Money, { description: 'How much.' })
  amount!: Money;

  @Field(() => PaymentMethod, { description: 'How it came.' })
  method!: PaymentMethod;

  @Field(() => String, { description: 'Wire id, cheque number, or the number the provider knows it by.' })
  reference!: string;

  @Field(() => CalendarDate, { description: 'The day it arrived, as entered or as the provider dated it.' })
  paidOn!: string;

  @Field(() => String, { nullable: true, description: 'Whatever was noted; internal. Null for a buyer portal.' })
  note!: string | null;

  @Field(() => PaymentReversalType, { nullable: true, description: 'What took it back; null while it stands.' })
  reversedBy!: PaymentReversalType | null;

  @Field(() => PaymentSource, { description: 'Who told us.' })
  source!: PaymentSource;

  @Field(() => DateTime, { description: 'When it was recorded.' })
  createdAt!: Date;
}

@ObjectType('CreditNoteReversal', {
  description: 'Takes a credit note back, because the credit was changed or taken off the invoice at the provider.',
  simpleResolvers: true,
})
export class CreditNoteReversalType {
  @Field(() => ID, { description: 'Its id.' })
  id!: string;

  @Field(() => String, { nullable: true, description: 'Why; internal. Null for a buyer portal.' })
  reason!: string | null;

  @Field(() => DateTime, { description: 'When it was recorded.' })
  createdAt!: Date;
}

@ObjectType('CreditNote', {
  implements: Node,
  simpleResolvers: true,
  description: 'Lowers what is owed, without money. Never changed, only reversed.',
})
export class CreditNoteType extends Node {
  @Field(() => Money, { description: 'By how much.' })
  amount!: Money;

  @Field(() => String, { description: 'Why.' })
  reason!: string;

  @Field(() => CreditNoteSource, { description: 'Who told us.' })
  source!: CreditNoteSource;

  @Field(() => CreditNoteReversalType, { nullable: true, description: 'What took it back; null while it stands.' })
  reversedBy!: CreditNoteReversalType | null;

  @Field(() => DateTime, { description: 'When it was issued, or recorded here.' })
  createdAt!: Date;
}

@ObjectType('PurchaseOrder', {
  implements: Node,
  simpleResolvers: true,
  description: 'What an organisation ordered, what it was invoiced and what it has paid.',
})
export class PurchaseOrderType extends Node {
  @Field(() => String, { description: 'What people call it: `PO-` and six letters or digits.' })
  reference!: string;

  @Field(() => PurchaseOrderStatus, { description: 'Where it stands.' })
  status!: PurchaseOrderStatus;

  @Field(() => String, { description: 'Who ordered; the customer on the invoice.' })
  organizationName!: string;

  @Field(() => String, { description: 'Where the invoice is sent.' })
  contactEmail!: string;

  @Field(() => String, { description: 'Whom to address; may be empty.' })
  contactName!: string;

  @Field(() => String, { description: 'Free text of several lines; may be empty.' })
  billingAddress!: string;

  @Field(() => String, { nullable: true, description: 'Internal; may be empty. Null for a buyer portal.' })
  notes!: string | null;

  @Field(() => String, { description: "The buyer's own number for this order; may be empty." })
  buyerReference!: string;

  @Field(() => CurrencyCodeEnum, { description: 'The currency of every amount here; fixed at creation.' })
  currencyCode!: string;

  @Field(() => CalendarDate, {
    nullable: true,
    description: 'When payment is due; becomes the due date of the invoice.',
  })
  dueDate!: string | null;

  @Field(() => Money, { description: 'Sum of the line totals.' })
  subtotal!: Money;

  @Field(() => Money, {
    description: 'What is owed altogether. There is no tax or discount, so it equals the subtotal.',
  })
  total!: Money;

  @Field(() => Money, { description: 'Sum of the payments that were not reversed.' })
  totalPaid!: Money;

  @Field(() => Money, { description: 'Sum of the credit notes that were not reversed.' })
  totalCredited!: Money;

  @Field(() => Money, { description: 'Total − paid − credited; negative when too much was paid.' })
  balanceDue!: Money;

  @Field(() => String, {
    description:
      'Where this server has it as a PDF, for a `GET` with the same `Authorization`; it is a statement of the order, not the invoice of the provider.',
  })
  pdfPath!: string;

  @Field(() => DateTime, { description: 'When it was created.' })
  createdAt!: Date;

  @Field(() => DateTime, { description: 'When it last changed.' })
  updatedAt!: Date;

  /** Not a field: what the resolvers of the relations need. */
  view!: PurchaseOrderView;
}

@ObjectType('PurchaseOrderChange', {
  description: 'Sent to subscribers: a purchase order changed.',
  simpleResolvers: true,
})
export class PurchaseOrderChangeType {
  @Field(() => String, {
    description: 'Give it as `after` to be told what you missed after a lost connection; good for 7 days.',
  })
  cursor!: string;

  @Field(() => DateTime, { description: 'When it last changed; in what is sent first, when it was read.' })
  at!: Date;

  @Field(() => PurchaseOrderType, {
    nullable: true,
    description: 'As it is now; null in the first thing that `conferenceActivity` sends.',
  })
  purchaseOrder!: PurchaseOrderType | null;
}

export const CreditNoteConnection = connectionType('CreditNote', CreditNoteType);
export const PaymentConnection = connectionType('Payment', PaymentType);
export const PurchaseOrderConnection = connectionType('PurchaseOrder', PurchaseOrderType);

export function presentPurchaseOrder(view: PurchaseOrderView): PurchaseOrderType {
  const { conferenceId: _, totalMinor, paidMinor, creditedMinor, balanceMinor, cancelledAt: __, ...plain } = view;
  const money = (amount: MinorUnits) => new Money(amount, view.currencyCode);
  return Object.assign(new PurchaseOrderType(), plain, {
    subtotal: money(totalMinor),
    total: money(totalMinor),
    totalPaid: money(paidMinor),
    totalCredited: money(creditedMinor),
    balanceDue: money(balanceMinor),
    pdfPath: `/purchase-orders/${view.id}/invoice.pdf`,
    view,
  });
}

export function presentLineItem(line: LineItemView, currency: CurrencyCode): LineItemType {
  return {
    id: line.id,
    description: line.description,
    quantity: line.quantity,
    unitPrice: new Money(line.unitPriceMinor, currency),
    lineTotal: new Money(line.lineTotalMinor, currency),
  };
}

export function presentPayment({ payment, reversal }: PaymentView, currency: CurrencyCode): PaymentType {
  return Object.assign(new PaymentType(), {
    id: payment.id,
    amount: new Money(payment.amountMinor, currency),
    method: payment.method,
    reference: payment.reference,
    paidOn: payment.paidOn,
    note: payment.note,
    reversedBy: reversal ? { id: reversal.id, reason: reversal.reason, createdAt: reversal.createdAt } : null,
    source: payment.source,
    createdAt: payment.createdAt,
  });
}

export function presentCreditNote({ note, reversal }: CreditNoteView, currency: CurrencyCode): CreditNoteType {
  return Object.assign(new CreditNoteType(), {
    id: note.id,
    amount: new Money(note.amountMinor, currency),
    reason: note.reason,
    source: note.source,
    reversedBy: reversal ? { id: reversal.id, reason: reversal.reason, createdAt: reversal.createdAt } : null,
    createdAt: note.createdAt,
  });
}
