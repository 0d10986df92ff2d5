import type { Grants } from '../../domain/access/grants.js';
import { ActorKind } from '../../domain/audit/actor.js';
import type { Actor, UseCaseContext } from '../context.js';
import { findGrantsOfKeys } from './api-keys.js';

/** Whose key or token has ended, or lost a role, since they were let in. One statement, however many they are. */
export async function findWeakenedActors(
  context: Pick<UseCaseContext, 'em' | 'clock'>,
  actors: readonly Actor[],
): Promise<ReadonlySet<Actor>> {
  const now = context.clock.now();
  const keys = actors.filter(({ kind }) => kind === ActorKind.API_KEY);
  const ids = [...new Set(keys.map(({ id }) => id))];
  const granted = ids.length > 0 ? await findGrantsOfKeys(context, ids) : new Map<string, Grants>();
  const isWeakened = ({ id, kind, grants, expiresAt }: Actor) =>
    kind === ActorKind.API_KEY ? !hasStill(granted.get(id), grants) : expiresAt !== undefined && expiresAt <= now;
  return new Set(actors.filter(isWeakened));
}

/** Of what a key grants only roles can be taken away. */
function hasStill(now: Grants | undefined, { roles }: Grants): boolean {
  return now !== undefined && [...roles].every(([conferenceId, role]) => now.roles.get(conferenceId) === role);
}
