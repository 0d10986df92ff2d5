import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findActorByKey } from '../../../src/application/access/api-keys.js';
import { type CreateApiKeyInput, createApiKey } from '../../../src/application/access/create-api-key.js';
import { findWeakenedActors } from '../../../src/application/access/find-weakened-actors.js';
import { createConference } from '../../../src/application/conferences/create-conference.js';
import type { Actor } from '../../../src/application/context.js';
import { NO_GRANTS } from '../../../src/domain/access/grants.js';
import { ActorKind } from '../../../src/domain/audit/actor.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;

beforeAll(async () => {
  bench = await startWorkbench();
});

afterAll(() => bench.stop());

async function actorWithKey(input: CreateApiKeyInput): Promise<Actor> {
  const { secret } = await createApiKey(bench.process(), input);
  const actor = await findActorByKey(bench.process(), String(secret));
  if (!actor) throw new Error('no key was made');
  return actor;
}

function actorWithToken(name: string, expiresAt: Date): Actor {
  return { id: `jwt:${name}`, name, kind: ActorKind.USER, grants: NO_GRANTS, expiresAt };
}

test('callers whose key or token has ended, or lost a role, are found with one statement', async () => {
  const other = { name: 'Other', slug: 'other', currencyCode: 'USD', timezone: 'UTC' };
  const conferenceIds = [bench.conferenceId, String((await createConference(bench.process(), other)).id)];
  const roles = conferenceIds.map((conferenceId) => ({ conferenceId, role: 'VIEWER' }));
  const soon = new Date(bench.process().clock.now().getTime() + 60_000);
  const later = new Date(soon.getTime() + 60_000);
  const actors = {
    kept: await actorWithKey({ name: 'kept', roles }),
    administrator: await actorWithKey({ name: 'administrator', administrator: true }),
    portal: await actorWithKey({ name: 'portal', purchaseOrderId: await bench.order() }),
    revoked: await actorWithKey({ name: 'revoked', roles }),
    expired: await actorWithKey({ name: 'expired', roles, expiresAt: soon }),
    roleless: await actorWithKey({ name: 'roleless', roles }),
    token: actorWithToken('token', later),
    expiredToken: actorWithToken('expired token', soon),
  };
  const context = { em: bench.process().em, clock: { now: () => soon } };
  const weakened = async (clock = context.clock) => {
    const found = await findWeakenedActors({ ...context, clock }, Object.values(actors));
    return Object.entries(actors).flatMap(([name, actor]) => (found.has(actor) ? [name] : []));
  };
  expect(await weakened({ now: () => new Date(soon.getTime() - 1) })).toEqual([]);

  await bench.sql('update api_key set revoked_at = now() where id = ?', [actors.revoked.id]);
  await bench.sql('update api_key_role set ended_at = now() where api_key_id = ? and conference_id = ?', [
    actors.roleless.id,
    bench.conferenceId,
  ]);

  const statements = await bench.statementsOf(async () => {
    expect(await weakened()).toEqual(['revoked', 'expired', 'roleless', 'expiredToken']);
  });
  expect(statements).toHaveLength(1);
});
