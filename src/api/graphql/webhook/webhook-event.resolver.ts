import { Arg, Args, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import { countWebhookEvents, listWebhookEvents } from '../../../application/queries/webhook-events.js';
import { replayWebhookEvents } from '../../../application/webhooks/replay-webhook-events.js';
import { pageComplexity } from '../complexity.js';
import { toConnection } from '../connection.js';
import type { GraphQLContext } from '../context.js';
import { presentFailures } from '../user-error.js';
import { ReplayWebhookEventsInput, ReplayWebhookEventsPayload, WebhookEventsArgs } from './webhook-event.inputs.js';
import { presentWebhookEvent, WebhookEventConnection } from './webhook-event.type.js';

@Resolver()
export class WebhookEventResolver {
  @Query(() => WebhookEventConnection, {
    complexity: pageComplexity,
    description: "The providers' notifications, newest first. Finished ones are kept 90 days, dead ones for good.",
  })
  async webhookEvents(@Ctx() { em }: GraphQLContext, @Args(() => WebhookEventsArgs) args: WebhookEventsArgs) {
    const page = await listWebhookEvents(em, args);
    return toConnection(page, presentWebhookEvent, () => countWebhookEvents(em, args));
  }

  @Mutation(() => ReplayWebhookEventsPayload, {
    nullable: true,
    description:
      'Has events tried again at once, from the first attempt on. Harmless in any state: what changed is read anew, and nothing is booked twice.',
  })
  async replayWebhookEvents(
    @Arg('input', { description: 'Which ones.' }) input: ReplayWebhookEventsInput,
    @Ctx() context: GraphQLContext,
  ) {
    const outcome = await context.mutate((useCase) => replayWebhookEvents(useCase, input));
    const userErrors = presentFailures(outcome);
    if (outcome.ids === null) return { events: null, hasMore: null, userErrors };
    const events = await Promise.all(outcome.ids.map((id) => context.loaders.webhookEvent.load(id)));
    const presented = events.flatMap((event) => (event ? [presentWebhookEvent(event)] : []));
    return { events: presented, hasMore: outcome.hasMore, userErrors };
  }
}
