import { Field, ObjectType, registerEnumType } from 'type-graphql';
import type { InvoiceEventAction, InvoiceEventView } from '../../../application/queries/invoice-history.js';
import type { InvoiceView } from '../../../application/queries/purchase-order-relations.js';
import { EmailStatus, InvoiceProvider, InvoiceStatus, isEnded } from '../../../domain/invoice/invoice.status.js';
import { Actor } from '../actor.type.js';
import { connectionType } from '../connection.js';
import { Money } from '../money.type.js';
import { Node } from '../node/node.type.js';
import { DateTime } from '../scalars.js';

registerEnumType(InvoiceProvider, {
  name: 'InvoiceProvider',
  description: 'Where invoices are made and paid.',
  valuesConfig: { QBO: { description: 'QuickBooks Online.' }, STRIPE: { description: 'Stripe.' } },
});

registerEnumType(InvoiceStatus, {
  name: 'InvoiceStatus',
  description: 'Where an invoice stands at its provider, as last seen.',
  valuesConfig: {
    CREATING: { description: 'It is being created.' },
    OPEN: { description: 'Nothing is paid yet.' },
    PARTIALLY_PAID: { description: 'Some of it is paid.' },
    PAID: { description: 'Its balance is zero, by money or by credit.' },
    VOIDED: { description: 'Voided at the provider; the purchase order may be invoiced again.' },
    DELETED: { description: 'Deleted at the provider; the purchase order may be invoiced again.' },
    UNKNOWN: { description: 'It is not known yet whether the provider made it.' },
    UNCOLLECTIBLE: { description: 'Given up at the provider; it can still be paid there.' },
  },
});

registerEnumType(EmailStatus, {
  name: 'EmailStatus',
  description: 'Whether the provider e-mailed the invoice.',
  valuesConfig: {
    NOT_SENT: { description: 'Not e-mailed.' },
    PENDING: { description: 'The provider will e-mail it.' },
    SENT: { description: 'E-mailed.' },
  },
});

const InvoiceEventActionEnum: Record<InvoiceEventAction, InvoiceEventAction> = {
  CREATED: 'CREATED',
  EMAILED: 'EMAILED',
  VOID_REQUESTED: 'VOID_REQUESTED',
  VOIDED: 'VOIDED',
  CHANGED_AT_PROVIDER: 'CHANGED_AT_PROVIDER',
  SWITCH_REQUESTED: 'SWITCH_REQUESTED',
  SWITCH_GIVEN_UP: 'SWITCH_GIVEN_UP',
  SWITCHED: 'SWITCHED',
  PAYMENT_BOOKED: 'PAYMENT_BOOKED',
  PAYMENT_REVERSED: 'PAYMENT_REVERSED',
  CREDIT_BOOKED: 'CREDIT_BOOKED',
  CREDIT_REVERSED: 'CREDIT_REVERSED',
};

registerEnumType(InvoiceEventActionEnum, {
  name: 'InvoiceEventAction',
  description: 'What can happen to an invoice.',
  valuesConfig: {
    CREATED: { description: 'The provider made it.' },
    EMAILED: { description: 'The provider e-mailed it.' },
    VOID_REQUESTED: { description: 'It is to be voided: its purchase order is cancelled, or invoiced elsewhere.' },
    VOIDED: { description: 'We had the provider void it.' },
    CHANGED_AT_PROVIDER: { description: 'Someone edited, voided, deleted or gave it up at the provider.' },
    SWITCH_REQUESTED: { description: 'One at the other provider is to take its place.' },
    SWITCH_GIVEN_UP: { description: 'No other one takes its place, because that was refused.' },
    SWITCHED: { description: 'It took the place of one at the other provider.' },
    PAYMENT_BOOKED: { description: 'Money came in through the provider.' },
    PAYMENT_REVERSED: { description: 'A payment was changed, refunded or taken off it at the provider.' },
    CREDIT_BOOKED: { description: 'A credit was given at the provider.' },
    CREDIT_REVERSED: { description: 'A credit was changed or taken off it at the provider.' },
  },
});

@ObjectType('InvoiceEvent', { description: 'Something that happened to an invoice.', simpleResolvers: true })
export class InvoiceEventType {
  @Field(() => DateTime, { description: 'When it was written down here.' })
  at!: Date;

  @Field(() => InvoiceEventActionEnum, { description: 'What it was.' })
  action!: InvoiceEventAction;

  @Field(() => Actor, { description: 'Who or what did it, or found out.' })
  actor!: Actor;

  @Field(() => String, {
    description: 'The name of `actor`.',
    deprecationReason: 'Use `actor.name`. Removal not before 2027-06-01.',
  })
  by!: string;

  @Field(() => String, { description: 'What happened, for a person.' })
  message!: string;
}

@ObjectType('Invoice', {
  implements: Node,
  simpleResolvers: true,
  description: 'The invoice of a purchase order at whichever provider, as last seen.',
})
export class InvoiceType extends Node {
  @Field(() => InvoiceProvider, { description: 'Where it is.' })
  provider!: InvoiceProvider;

  @Field(() => String, { nullable: true, description: "The provider's id of it; null while it has given none." })
  externalId!: string | null;

  @Field(() => String, { nullable: true, description: 'The number printed on it.' })
  number!: string | null;

  @Field(() => InvoiceStatus, { description: 'Where it stands.' })
  status!: InvoiceStatus;

  @Field(() => Money, { description: 'Its total as the provider has it.' })
  total!: Money;

  @Field(() => Money, { description: 'What it still asks for, as the provider has it.' })
  balance!: Money;

  @Field(() => String, { nullable: true, description: "The bookkeeper's page of it; needs a login at the provider." })
  url!: string | null;

  @Field(() => String, { nullable: true, description: "The buyer's payment page, when it can be paid online." })
  payUrl!: string | null;

  @Field(() => EmailStatus, { description: 'Whether the provider e-mailed it.' })
  emailStatus!: EmailStatus;

  @Field(() => Boolean, {
    description: 'Whether it counts: neither voided nor deleted. A purchase order has one such invoice at most.',
  })
  isLive!: boolean;

  @Field(() => DateTime, { nullable: true, description: 'When it was last seen.' })
  lastSyncedAt!: Date | null;

  @Field(() => DateTime, { description: 'When it was asked for.' })
  createdAt!: Date;
}

export const InvoiceConnection = connectionType('Invoice', InvoiceType);

export function presentInvoice(invoice: InvoiceView): InvoiceType {
  return Object.assign(new InvoiceType(), {
    id: invoice.id,
    provider: invoice.provider,
    externalId: invoice.externalId,
    number: invoice.number,
    status: invoice.status,
    total: new Money(invoice.totalMinor, invoice.currencyCode),
    balance: new Money(invoice.balanceMinor, invoice.currencyCode),
    url: invoice.url,
    payUrl: invoice.payUrl,
    emailStatus: invoice.emailStatus,
    isLive: !isEnded(invoice.status),
    lastSyncedAt: invoice.lastSyncedAt,
    createdAt: invoice.createdAt,
  });
}

export function presentInvoiceEvent({ at, action, actor, message }: InvoiceEventView): InvoiceEventType {
  return { at, action, actor, by: actor.name, message };
}
