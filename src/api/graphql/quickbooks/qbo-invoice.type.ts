import { Field, ID, ObjectType } from 'type-graphql';
import type { InvoiceView } from '../../../application/queries/purchase-order-relations.js';
import { EmailStatus, InvoiceStatus } from '../../../domain/invoice/invoice.status.js';
import { Money } from '../money.type.js';
import { DateTime } from '../scalars.js';

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

export function presentQboInvoice(invoice: InvoiceView): QboInvoiceType {
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
