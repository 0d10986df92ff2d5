import type { EntityManager } from '@mikro-orm/postgresql';
import type { Actor } from '../../application/context.js';
import type { InvoicingContext } from '../../application/invoicing/invoicing-context.js';
import { createLoaders, type Loaders } from './loaders.js';

/** What resolvers get. Reads share one entity manager and its loaders; each mutation gets an entity manager of its own. */
export interface GraphQLContext {
  /** `NOBODY` when the request bears no credential. */
  readonly actor: Actor;
  readonly requestId: string;
  readonly em: EntityManager;
  /** Rows already read for this request. Emptied after a mutation, which makes them outdated. */
  readonly loaders: Loaders;
  /** Runs a use case with its own entity manager, so that nothing left over from one is written by another. */
  readonly mutate: <T>(useCase: (context: InvoicingContext) => Promise<T>) => Promise<T>;
}

/** What the server provides for every request. */
export interface GraphQLDependencies {
  readonly forkEntityManager: () => EntityManager;
  readonly createUseCaseContext: (em: EntityManager, actor: Actor) => InvoicingContext;
}

export function createGraphQLContext(
  { forkEntityManager, createUseCaseContext }: GraphQLDependencies,
  { actor, requestId }: { readonly actor: Actor; readonly requestId: string },
): GraphQLContext {
  const em = forkEntityManager();
  const loaders = createLoaders(em, actor);
  return {
    actor,
    requestId,
    em,
    loaders,
    mutate: async (useCase) => {
      try {
        return await useCase(createUseCaseContext(forkEntityManager(), actor));
      } finally {
        em.clear();
        // Emptied in place: Apollo hands resolvers a copy of this object, which would keep the old loaders.
        for (const loader of Object.values(loaders)) loader.clearAll();
      }
    },
  };
}
