import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { ConfigureStripeCode } from '../../../application/stripe/configure-stripe.js';
import { ConferenceType } from '../conference/conference.type.js';
import { commonCodes, type StripeUserError, stripeUserErrorType } from '../user-error.js';

@InputType({
  description:
    'Connects a conference to a Stripe account, or gives it another key. The key is proven by reading the account before anything is stored. The secrets are write-only.',
})
export class ConfigureStripeInput {
  @Field(() => ID, { description: 'The conference to connect.' })
  conferenceId!: string;

  @Field(() => String, { description: 'A secret or restricted key of the account, `sk_…` or `rk_…`.' })
  secretKey!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'The signing secret of the webhook endpoint, `whsec_…`; several, comma-separated, while one is being replaced. Left out, the stored one is kept if the account is the same.',
  })
  webhookSecret?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The publishable key, `pk_…`, if a frontend needs it. Left out, the stored one is kept if the account is the same.',
  })
  publishableKey?: string | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Days until an invoice is due whose purchase order says no day, 0 to 365. Left out, the stored number is kept; 30 the first time.',
  })
  daysUntilDue?: number | null;
}

const ConfigureStripeUserError = stripeUserErrorType<ConfigureStripeCode>('ConfigureStripe', {
  NOT_FOUND: commonCodes.NOT_FOUND,
  INVALID: 'A field is not acceptable, or Stripe does not accept the key.',
  ACCOUNT_MISMATCH: 'The conference has live invoices in another account or mode.',
  STRIPE_UNAVAILABLE: 'Stripe could not be asked; nothing was stored.',
});

@ObjectType({ description: 'Result of `configureStripe`.' })
export class ConfigureStripePayload {
  @Field(() => ConferenceType, { nullable: true, description: 'The conference; null when nothing was done.' })
  conference?: ConferenceType | null;

  @Field(() => [ConfigureStripeUserError], { description: 'Empty on success.' })
  userErrors!: StripeUserError[];
}
