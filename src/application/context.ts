import type { EntityManager } from '@mikro-orm/postgresql';
import type { Clock } from '../domain/clock.js';
import type { IdSource } from '../domain/ids.js';
import type { Waits } from './waits.js';

/** Who acts, as it will stand in the audit trail: an API key's name, or a part of the system such as `quickbooks`. */
export interface Actor {
  readonly id: string;
  readonly name: string;
}

/** What every use case gets. The entity manager is the caller's own fork: nothing else writes through it. */
export interface UseCaseContext {
  readonly em: EntityManager;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly actor: Actor;
  readonly waits: Waits;
}
