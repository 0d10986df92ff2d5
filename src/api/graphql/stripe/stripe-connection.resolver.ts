import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { configureStripe } from '../../../application/stripe/configure-stripe.js';
import { presentConference } from '../conference/conference.type.js';
import type { GraphQLContext } from '../context.js';
import { presentProviderFailures } from '../user-error.js';
import { ConfigureStripeInput, ConfigureStripePayload } from './stripe-connection.inputs.js';

@Resolver()
export class StripeConnectionResolver {
  @Mutation(() => ConfigureStripePayload, {
    nullable: true,
    description: 'Connects a conference to a Stripe account, or replaces its keys.',
  })
  async configureStripe(
    @Arg('input', { description: 'The account and the secrets that open it.' }) input: ConfigureStripeInput,
    @Ctx() context: GraphQLContext,
  ) {
    const outcome = await context.mutate((useCase) => configureStripe(useCase, input));
    const conference = outcome.id === null ? undefined : await context.loaders.conference.load(outcome.id);
    return {
      conference: conference ? presentConference(conference) : null,
      userErrors: presentProviderFailures(outcome),
    };
  }
}
