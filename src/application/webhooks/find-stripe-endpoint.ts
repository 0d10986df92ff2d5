import type { EntityManager } from '@mikro-orm/postgresql';
import { openIfPossible, type SecretBox } from '../ports/secrets.js';

/** The webhook endpoint of a conference. */
export interface StripeEndpoint {
  readonly connectionId: string;
  /** Its signing secrets, comma-separated, any of which may match; empty when they cannot be opened. */
  readonly secrets: string;
}

/** As they can be stored: anything else, e.g. a NUL, need not reach the database. */
const SLUG = /^[a-z0-9-]{1,200}$/;

/**
 * Finds the endpoint of the conference with this slug. Undefined: there is no such conference; `connection` is null when it
 * has no Stripe account. Anybody may ask as often as they like, hence one statement by unique keys.
 */
export async function findStripeEndpoint(
  { em, secrets }: { readonly em: EntityManager; readonly secrets: SecretBox },
  conferenceSlug: string,
): Promise<{ readonly endpoint: StripeEndpoint | undefined } | undefined> {
  if (!SLUG.test(conferenceSlug)) return undefined;
  const [row] = await em.execute<{ id: string | null; webhook_secret: string | null }[]>(
    `select connection.id, connection.webhook_secret
     from conference left join stripe_connection connection on connection.conference_id = conference.id
     where conference.slug = ?`,
    [conferenceSlug],
  );
  if (!row) return undefined;
  const { id, webhook_secret: sealed } = row;
  if (id === null || sealed === null) return { endpoint: undefined };
  return { endpoint: { connectionId: id, secrets: (await openIfPossible(secrets, sealed)) ?? '' } };
}
