import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { GraphQLContext } from '../context.js';
import { QboConnectionType, QboUsageType } from './qbo-connection.type.js';

@Resolver(() => QboConnectionType)
export class QboConnectionResolver {
  @FieldResolver(() => QboUsageType, { description: 'Its calls in the current month.' })
  async usage(@Root() { connectionId }: QboConnectionType, @Ctx() { loaders }: GraphQLContext) {
    return Object.assign(new QboUsageType(), await loaders.qboUsage.load(connectionId));
  }
}
