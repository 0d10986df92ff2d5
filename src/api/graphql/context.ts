import type { EntityManager } from '@mikro-orm/postgresql';
import type { Actor } from '../../application/context.js';
import type { InvoicingContext } from '../../application/invoicing/invoicing-context.js';
import type { Watching } from '../../application/live/watch-purchase-orders.js';
import { TimeLimit } from './limits/time-limit.js';
import { createLoaders, type Loaders } from './loaders.js';

/** What resolvers get. Reads share one entity manager and its loaders; each mutation gets an entity manager of its own. */
export interface GraphQLContext {
  /** `NOBODY` when the request bears no credential. */
  readonly actor: Actor;
  /** Where the request came from. */
  readonly address: string;
  readonly requestId: string;
  readonly timeLimit: TimeLimit;
  readonly em: EntityManager;
  /** Rows already read for this request. Emptied after a mutation, which makes them outdated. */
  readonly loaders: Loaders;
  /** Runs a use case with its own entity manager, so that nothing left over from one is written by another. */
  readonly mutate: <T>(useCase: (context: InvoicingContext) => Promise<T>) => Promise<T>;
  /** What subscriptions need; there only while one begins. */
  readonly live?: Watching;
}

/** What the server provides for every request. */
export interface GraphQLDependencies {
  /** With a signal every query of the fork is cancelled when it aborts. */
  readonly forkEntityManager: (signal?: AbortSignal) => EntityManager;
  readonly createUseCaseContext: (em: EntityManager, actor: Actor) => InvoicingContext;
  /** Told of what nobody foresaw. */
  readonly onUnexpectedError: (error: unknown) => void;
}

/** Who asks, and where from. */
export type RequestOrigin = Pick<GraphQLContext, 'actor' | 'address' | 'requestId'>;

export function createGraphQLContext(dependencies: GraphQLDependencies, origin: RequestOrigin): GraphQLContext {
  const { forkEntityManager, createUseCaseContext, onUnexpectedError } = dependencies;
  const timeLimit = new TimeLimit();
  const em = forkEntityManager(timeLimit.signal);
  const loaders = createLoaders(em, origin.actor);
  return {
    ...origin,
    timeLimit,
    em,
    loaders,
    mutate: async (useCase) => {
      try {
        const begin = () => useCase(createUseCaseContext(forkEntityManager(), origin.actor));
        return await timeLimit.wait(begin, onUnexpectedError);
      } finally {
        em.clear();
        // Emptied in place: Apollo hands resolvers a copy of this object, which would keep the old loaders.
        for (const loader of Object.values(loaders)) loader.clearAll();
      }
    },
  };
}
