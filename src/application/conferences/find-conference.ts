import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { ConferenceRole } from '../../domain/access/grants.js';
import { Conference } from '../../domain/conference/conference.entity.js';
import { filterBy, requireRoleIn, visibleConferences } from '../access/permissions.js';
import type { Actor } from '../context.js';

/**
 * The conference in which the actor is to do something that needs this role. Undefined: there is none, or none that the
 * actor sees. Throws `AccessDenied` when its role is too low.
 */
export async function findConference(
  em: EntityManager,
  actor: Actor,
  { id, needed, lockMode = LockMode.NONE }: { id: string; needed: ConferenceRole; lockMode?: LockMode },
): Promise<Conference | undefined> {
  const visible = filterBy(visibleConferences(actor));
  const conference = await em.findOne(Conference, { id, ...visible }, { lockMode });
  if (!conference) return undefined;
  requireRoleIn(actor, id, needed);
  return conference;
}
