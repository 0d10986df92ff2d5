import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, ID, Info, Mutation, Query, Resolver, Root } from 'type-graphql';
import { createConference } from '../../../application/conferences/create-conference.js';
import { updateConference } from '../../../application/conferences/update-conference.js';
import type { Failure, Outcome } from '../../../application/outcome.js';
import { countConferences, findConferenceBySlug, listConferences } from '../../../application/queries/conferences.js';
import { configureQboConnection } from '../../../application/quickbooks/configure-qbo-connection.js';
import { pageComplexity } from '../complexity.js';
import { ConnectionArgs, toConnection } from '../connection.js';
import type { GraphQLContext } from '../context.js';
import { badUserInput } from '../errors.js';
import { purchaseOrderConnection } from '../purchase-order/purchase-order.connection.js';
import { ConferencePurchaseOrdersArgs } from '../purchase-order/purchase-order.inputs.js';
import { PurchaseOrderConnection } from '../purchase-order/purchase-order.type.js';
import { presentQboConnection, QboConnectionType } from '../quickbooks/qbo-connection.type.js';
import { presentStripeConnection, StripeConnectionType } from '../stripe/stripe-connection.type.js';
import { presentFailures } from '../user-error.js';
import {
  ConfigureQboConnectionInput,
  ConfigureQboConnectionPayload,
  CreateConferenceInput,
  CreateConferencePayload,
  UpdateConferenceInput,
  UpdateConferencePayload,
} from './conference.inputs.js';
import { ConferenceConnection, ConferenceType, presentConference } from './conference.type.js';

@Resolver(() => ConferenceType)
export class ConferenceResolver {
  @Query(() => ConferenceType, {
    nullable: true,
    description: 'One conference, by its id or its slug; null when there is none.',
  })
  async conference(
    @Ctx() { em, actor, loaders }: GraphQLContext,
    @Arg('id', () => ID, { nullable: true, description: 'Its id.' }) id?: string,
    @Arg('slug', () => String, { nullable: true, description: 'Its name in URLs.' }) slug?: string,
  ) {
    if ((id == null) === (slug == null)) throw badUserInput('Give either "id" or "slug".');
    const conference =
      id == null ? await findConferenceBySlug(em, actor, String(slug)) : await loaders.conference.load(id);
    return conference ? presentConference(conference) : null;
  }

  @Query(() => ConferenceConnection, {
    complexity: pageComplexity,
    description: 'The conferences that you see, newest first.',
  })
  async conferences(@Ctx() { em, actor }: GraphQLContext, @Args(() => ConnectionArgs) args: ConnectionArgs) {
    return toConnection(await listConferences(em, actor, args), presentConference, () => countConferences(em, actor));
  }

  @FieldResolver(() => PurchaseOrderConnection, {
    complexity: pageComplexity,
    description: 'Its purchase orders, newest first unless sorted otherwise.',
  })
  async purchaseOrders(
    @Root() { id }: ConferenceType,
    @Ctx() context: GraphQLContext,
    @Args(() => ConferencePurchaseOrdersArgs) args: ConferencePurchaseOrdersArgs,
    @Info() info: GraphQLResolveInfo,
  ) {
    return purchaseOrderConnection(context, { ...args, conferenceId: id }, info);
  }

  @FieldResolver(() => QboConnectionType, {
    nullable: true,
    description: 'The QuickBooks company it is connected to; null when it is not.',
  })
  async qboConnection(@Root() { qboConnectionId }: ConferenceType, @Ctx() { loaders }: GraphQLContext) {
    if (qboConnectionId === null) return null;
    const connection = await loaders.qboConnection.load(qboConnectionId);
    return connection ? presentQboConnection(connection) : null;
  }

  @FieldResolver(() => StripeConnectionType, {
    nullable: true,
    description: 'Its access to a Stripe account; null when it has none.',
  })
  async stripeConnection(@Root() { id, slug }: ConferenceType, @Ctx() { loaders }: GraphQLContext) {
    const connection = await loaders.stripeConnectionOfConference.load(id);
    return connection ? presentStripeConnection(connection, slug) : null;
  }

  @Mutation(() => CreateConferencePayload, { nullable: true, description: 'Creates a conference.' })
  async createConference(
    @Arg('input', { description: 'What to create.' }) input: CreateConferenceInput,
    @Ctx() context: GraphQLContext,
  ) {
    const withTimezone = { ...input, timezone: input.timezone ?? 'UTC' };
    return payload(context, await context.mutate((useCase) => createConference(useCase, withTimezone)));
  }

  @Mutation(() => UpdateConferencePayload, { nullable: true, description: 'Changes what is given of a conference.' })
  async updateConference(
    @Arg('input', { description: 'What to change.' }) input: UpdateConferenceInput,
    @Ctx() context: GraphQLContext,
  ) {
    return payload(context, await context.mutate((useCase) => updateConference(useCase, input)));
  }

  @Mutation(() => ConfigureQboConnectionPayload, {
    nullable: true,
    description:
      'Connects a conference to a QuickBooks company, or reconnects that company for all its conferences. A healthy connection keeps its own tokens.',
  })
  async configureQboConnection(
    @Arg('input', { description: 'The company and the tokens that open it.' }) input: ConfigureQboConnectionInput,
    @Ctx() context: GraphQLContext,
  ) {
    return payload(context, await context.mutate((useCase) => configureQboConnection(useCase, input)));
  }
}

async function payload({ loaders }: GraphQLContext, outcome: Outcome<Failure<string>>) {
  const conference = outcome.id === null ? undefined : await loaders.conference.load(outcome.id);
  return { conference: conference ? presentConference(conference) : null, userErrors: presentFailures(outcome) };
}
