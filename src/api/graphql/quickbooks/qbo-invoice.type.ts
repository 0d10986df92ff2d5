import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import type { Invoice } from '../../../domain/invoice/invoice.entity.js';
import { EmailStatus, InvoiceStatus } from '../../../domain/invoice/invoice.status.js';
import { Money } from '../money.type.js';
import { DateTime } from '../scalars.js';

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

@ObjectType('QboInvoice', { description: 'The invoice in QuickBooks, as last seen.', simpleResolvers: true })
export class QboInvoiceType {
  @Field(() => ID, { description: "QuickBooks' id of the invoice; ours while QuickBooks has not given one." })
  id!: string;

  @Field(() => String, { nullable: true, description: 'The number printed on it.' })
  docNumber!: string | null;

  @Field(() => String, { nullable: true, description: "QuickBooks' version counter, as last seen." })
  syncToken!: string | null;

  @Field(() => String, { nullable: true, description: "The bookkeeper's page of it; needs a QuickBooks login." })
  url!: string | null;

  @Field(() => String, {
    nullable: true,
    description: "The buyer's payment page, when the company has online payments.",
  })
  payUrl!: string | null;

  @Field(() => InvoiceStatus, { description: 'Where it stands.' })
  status!: InvoiceStatus;

  @Field(() => Money, { description: 'Its total as QuickBooks has it.' })
  total!: Money;

  @Field(() => Money, { description: 'What is open on it as QuickBooks has it.' })
  balance!: Money;

  @Field(() => EmailStatus, { description: 'Whether it was e-mailed.' })
  emailStatus!: EmailStatus;

  @Field(() => DateTime, { nullable: true, description: 'When it was last seen.' })
  lastSyncedAt!: Date | null;
}

export function presentQboInvoice(invoice: Invoice): QboInvoiceType {
  return {
    id: invoice.externalId ?? invoice.id,
    docNumber: invoice.number,
    syncToken: invoice.syncToken,
    url: invoice.url,
    payUrl: invoice.payUrl,
    status: invoice.status,
    total: new Money(invoice.totalMinor, invoice.currencyCode),
    balance: new Money(invoice.balanceMinor, invoice.currencyCode),
    emailStatus: invoice.emailStatus,
    lastSyncedAt: invoice.lastSyncedAt,
  };
}
