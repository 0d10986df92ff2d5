import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { reconcileQboConnection } from '../../../application/quickbooks/reconcile-qbo-connection.js';
import { QboConnectionStatus } from '../../../domain/quickbooks/qbo-connection.entity.js';
import { presentConference } from '../conference/conference.type.js';
import type { GraphQLContext } from '../context.js';
import { DateTime } from '../scalars.js';
import { presentProviderFailures } from '../user-error.js';
import { ReconcileQboConnectionInput, ReconcileQboConnectionPayload } from './qbo-connection.inputs.js';
import { QboConnectionType, QboUsageType } from './qbo-connection.type.js';

@Resolver(() => QboConnectionType)
export class QboConnectionResolver {
  @FieldResolver(() => DateTime, {
    nullable: true,
    description: 'When it was last looked for changes that no webhook told, successfully; null before the first time.',
  })
  async lastSweptAt(@Root() { connectionId }: QboConnectionType, @Ctx() { loaders }: GraphQLContext) {
    return (await loaders.qboSweep.load(connectionId))?.lastSweptAt ?? null;
  }

  @FieldResolver(() => DateTime, {
    nullable: true,
    description:
      'When that is done next: daily while webhooks come in, else every 15 minutes. Null before the first time, and while the company must be reconnected.',
  })
  async nextSweepAt(@Root() { connectionId, status }: QboConnectionType, @Ctx() { loaders }: GraphQLContext) {
    if (status === QboConnectionStatus.RECONNECT_REQUIRED) return null;
    return (await loaders.qboSweep.load(connectionId))?.nextSweepAt ?? null;
  }

  @FieldResolver(() => QboUsageType, { description: 'Its calls in the current month.' })
  async usage(@Root() { connectionId }: QboConnectionType, @Ctx() { loaders }: GraphQLContext) {
    return Object.assign(new QboUsageType(), await loaders.qboUsage.load(connectionId));
  }

  @Mutation(() => ReconcileQboConnectionPayload, {
    nullable: true,
    description:
      'Looks at every QuickBooks invoice of the company whose money can still change, 500 in a read, and books what is not as recorded. For organisers, after an outage or a doubt; webhooks and sweeps do the same by themselves.',
  })
  async reconcileQboConnection(
    @Arg('input', { description: 'Whose company to look at.' }) input: ReconcileQboConnectionInput,
    @Ctx() context: GraphQLContext,
  ) {
    const outcome = await context.mutate((useCase) => reconcileQboConnection(useCase, input));
    const { id, invoicesChecked, invoicesChanged } = outcome;
    const conference = id === null ? undefined : await context.loaders.conference.load(id);
    return {
      conference: conference ? presentConference(conference) : null,
      invoicesChecked,
      invoicesChanged,
      userErrors: presentProviderFailures(outcome),
    };
  }
}
