import type { EntityManager } from '@mikro-orm/postgresql';
import { ALL_GRANTS, type Grants, NO_GRANTS } from '../domain/access/grants.js';
import { type ActorIdentity, ActorKind } from '../domain/audit/actor.js';
import type { Clock } from '../domain/clock.js';
import type { IdSource } from '../domain/ids.js';
import type { InvoiceProvider } from '../domain/invoice/invoice.status.js';
import type { JobQueue } from './ports/jobs.js';
import type { Waits } from './waits.js';

/** Who acts, as it will stand in the audit trail, and what it may do. */
export interface Actor extends ActorIdentity {
  /** What it may see and do. */
  readonly grants: Grants;
  /** When its key or token ends by itself; left out, it does not. */
  readonly expiresAt?: Date;
}

/** Without what it may do. */
export function identityOf({ id, name, kind }: Actor): ActorIdentity {
  return { id, name, kind };
}

/** Whoever shows no credential. */
export const NOBODY: Actor = { id: 'nobody', name: 'nobody', kind: ActorKind.API_KEY, grants: NO_GRANTS };

/** In whose name the background works for a provider. */
export function systemActor(provider: `${InvoiceProvider}`): Actor {
  return { id: 'system', name: SYSTEM_NAMES[provider], kind: ActorKind.SYSTEM, grants: ALL_GRANTS };
}

const SYSTEM_NAMES = { QBO: 'quickbooks', STRIPE: 'stripe' } as const;

/**
 * The same in the name of the provider. What it says is found out, whoever had it asked: the reading of a company also tells
 * of conferences that the caller does not see, and whose people must not read of the caller.
 */
export function asProvider<Context extends UseCaseContext>(context: Context, provider: `${InvoiceProvider}`): Context {
  return { ...context, actor: systemActor(provider) };
}

/** The same in the name of whoever asked for what is gone on with, if that is known. What it may do stays as it is. */
export function asRequester<Context extends UseCaseContext>(
  context: Context,
  { requestedBy }: { readonly requestedBy: ActorIdentity | null },
): Context {
  return requestedBy ? { ...context, actor: { ...requestedBy, grants: context.actor.grants } } : context;
}

/** What every use case gets. The entity manager is the caller's own fork: nothing else writes through it. */
export interface UseCaseContext {
  readonly em: EntityManager;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly actor: Actor;
  readonly waits: Waits;
}

/** What use cases get that work through provider operations. */
export interface OperatingContext extends UseCaseContext {
  readonly jobs: JobQueue;
}
