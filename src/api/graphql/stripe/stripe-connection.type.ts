import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { type StripeConnection, StripeConnectionStatus } from '../../../domain/stripe/stripe-connection.entity.js';
import { DateTime } from '../scalars.js';

registerEnumType(StripeConnectionStatus, {
  name: 'StripeConnectionStatus',
  description: 'Whether a Stripe account can be reached.',
  valuesConfig: {
    CONNECTED: { description: 'Working.' },
    RECONNECT_REQUIRED: { description: 'Stripe refuses the secret key; a person must configure another one.' },
  },
});

@ObjectType('StripeConnection', {
  description: "A conference's access to a Stripe account. Its secrets are never shown.",
  simpleResolvers: true,
})
export class StripeConnectionType {
  @Field(() => ID, { description: 'Its id; webhook events of the conference bear it as their `realmId`.' })
  id!: string;

  @Field(() => String, { description: "Stripe's id of the account, `acct_…`." })
  accountId!: string;

  @Field(() => String, { description: "The account's name as Stripe has it." })
  accountName!: string;

  @Field(() => Boolean, { description: 'False with a test key: nobody really pays those invoices.' })
  liveMode!: boolean;

  @Field(() => String, { nullable: true, description: 'For the pages of a frontend; anyone may see it.' })
  publishableKey!: string | null;

  @Field(() => Int, { description: 'Days until an invoice is due whose purchase order says no day.' })
  daysUntilDue!: number;

  @Field(() => StripeConnectionStatus, { description: 'Whether it works.' })
  status!: StripeConnectionStatus;

  @Field(() => String, { description: "Where Stripe is to send this conference's webhooks, on this server." })
  webhookPath!: string;

  @Field(() => DateTime, {
    nullable: true,
    description: 'Everything that happened before was looked for, also without webhooks; null before the first time.',
  })
  sweptUntil!: Date | null;
}

export function presentStripeConnection(connection: StripeConnection, conferenceSlug: string): StripeConnectionType {
  return {
    id: connection.id,
    accountId: connection.accountId,
    accountName: connection.accountName,
    liveMode: connection.liveMode,
    publishableKey: connection.publishableKey,
    daysUntilDue: connection.daysUntilDue,
    status: connection.status,
    webhookPath: `/webhooks/stripe/${conferenceSlug}`,
    sweptUntil: connection.sweptUntil,
  };
}
