import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { createApiKey } from '../../../application/access/create-api-key.js';
import { revokeApiKey } from '../../../application/access/revoke-api-key.js';
import { countApiKeys, listApiKeys } from '../../../application/queries/api-keys.js';
import { pageComplexity } from '../complexity.js';
import { ConferenceType, presentConference } from '../conference/conference.type.js';
import { ConnectionArgs, toConnection } from '../connection.js';
import type { GraphQLContext } from '../context.js';
import { PurchaseOrderType, presentPurchaseOrder } from '../purchase-order/purchase-order.type.js';
import { presentFailures } from '../user-error.js';
import { CreateApiKeyInput, CreateApiKeyPayload, RevokeApiKeyInput, RevokeApiKeyPayload } from './api-key.inputs.js';
import { ApiKeyConnection, ApiKeyRoleType, ApiKeyType, presentApiKey } from './api-key.type.js';

@Resolver(() => ApiKeyType)
export class ApiKeyResolver {
  @Query(() => ApiKeyConnection, {
    complexity: pageComplexity,
    description:
      'The API keys that you manage, newest first, revoked ones included: as administrator all, as organiser those that grant something in your conferences.',
  })
  async apiKeys(@Ctx() { em, actor }: GraphQLContext, @Args(() => ConnectionArgs) args: ConnectionArgs) {
    return toConnection(await listApiKeys(em, actor, args), presentApiKey, () => countApiKeys(em, actor));
  }

  @FieldResolver(() => PurchaseOrderType, {
    nullable: true,
    description: 'The one purchase order that it sees; null when it grants something else.',
  })
  async purchaseOrder(@Root() { purchaseOrderId }: ApiKeyType, @Ctx() { loaders }: GraphQLContext) {
    const view = purchaseOrderId === null ? undefined : await loaders.purchaseOrder.load(purchaseOrderId);
    return view && presentPurchaseOrder(view);
  }

  @Mutation(() => CreateApiKeyPayload, {
    nullable: true,
    description: 'Makes an API key. You can grant only what is yours: a role in a conference as its organiser.',
  })
  async createApiKey(
    @Arg('input', { description: 'Its name and what it grants.' }) input: CreateApiKeyInput,
    @Ctx() context: GraphQLContext,
  ) {
    const outcome = await context.mutate((useCase) => createApiKey(useCase, input));
    return {
      apiKey: await loadApiKey(context, outcome.id),
      secret: outcome.secret,
      userErrors: presentFailures(outcome),
    };
  }

  @Mutation(() => RevokeApiKeyPayload, {
    nullable: true,
    description:
      'Ends an API key for good, from the next request on. Of a key that has roles in conferences of others, too, it ends those in yours.',
  })
  async revokeApiKey(
    @Arg('input', { description: 'Which one.' }) input: RevokeApiKeyInput,
    @Ctx() context: GraphQLContext,
  ) {
    const outcome = await context.mutate((useCase) => revokeApiKey(useCase, input));
    return {
      apiKey: await loadApiKey(context, outcome.id),
      ended: outcome.id === null ? null : outcome.ended,
      userErrors: presentFailures(outcome),
    };
  }
}

async function loadApiKey({ loaders }: GraphQLContext, id: string | null): Promise<ApiKeyType | null> {
  const view = id === null ? undefined : await loaders.apiKey.load(id);
  return view ? presentApiKey(view) : null;
}

@Resolver(() => ApiKeyRoleType)
export class ApiKeyRoleResolver {
  @FieldResolver(() => ConferenceType, { description: 'The conference.' })
  async conference(@Root() { conferenceId }: ApiKeyRoleType, @Ctx() { loaders }: GraphQLContext) {
    const conference = await loaders.conference.load(conferenceId);
    return conference && presentConference(conference);
  }
}
