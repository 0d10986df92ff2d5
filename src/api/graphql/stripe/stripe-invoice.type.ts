import { Field, ID, ObjectType } from 'type-graphql';
import type { InvoiceView } from '../../../application/queries/purchase-order-relations.js';
import { EmailStatus, InvoiceStatus } from '../../../domain/invoice/invoice.status.js';
import { Money } from '../money.type.js';
import { DateTime } from '../scalars.js';

@ObjectType('StripeInvoice', { description: 'The invoice in Stripe, as last seen.', simpleResolvers: true })
export class StripeInvoiceType {
  @Field(() => ID, { description: "Stripe's id of the invoice, `in_…`; ours while Stripe has not given one." })
  id!: string;

  @Field(() => String, { nullable: true, description: 'The number printed on it; null while it is a draft.' })
  number!: string | null;

  @Field(() => InvoiceStatus, { description: 'Where it stands.' })
  status!: InvoiceStatus;

  @Field(() => Money, { description: 'Its total as Stripe has it.' })
  total!: Money;

  @Field(() => Money, { description: 'What it still asks for. A refund does not raise it again.' })
  balance!: Money;

  @Field(() => String, { nullable: true, description: "The bookkeeper's page of it; needs a Stripe login." })
  url!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The hosted page where the buyer sees it and pays by card or bank debit.',
  })
  payUrl!: string | null;

  @Field(() => EmailStatus, { description: 'Whether Stripe e-mailed it.' })
  emailStatus!: EmailStatus;

  @Field(() => Money, { description: 'Of the money received: given back since, by refunds and lost disputes.' })
  refunded!: Money;

  @Field(() => Money, { description: 'Bank debits that the buyer began and that are not settled yet; they take days.' })
  processing!: Money;

  @Field(() => Boolean, { description: "Whether the buyer's bank disputes a payment, and that is not decided yet." })
  isDisputed!: boolean;

  @Field(() => DateTime, { nullable: true, description: 'When it was last seen.' })
  lastSyncedAt!: Date | null;
}

export function presentStripeInvoice(invoice: InvoiceView): StripeInvoiceType {
  const { currencyCode } = invoice;
  return {
    id: invoice.externalId ?? invoice.id,
    number: invoice.number,
    status: invoice.status,
    total: new Money(invoice.totalMinor, currencyCode),
    balance: new Money(invoice.balanceMinor, currencyCode),
    url: invoice.url,
    payUrl: invoice.payUrl,
    emailStatus: invoice.emailStatus,
    refunded: new Money(invoice.refundedMinor, currencyCode),
    processing: new Money(invoice.processingMinor, currencyCode),
    isDisputed: invoice.isDisputed,
    lastSyncedAt: invoice.lastSyncedAt,
  };
}
