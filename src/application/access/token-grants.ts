import { z } from 'zod';
import { ALL_GRANTS, ConferenceRole, type Grants, NO_GRANTS } from '../../domain/access/grants.js';
import { ActorKind } from '../../domain/audit/actor.js';
import type { Actor } from '../context.js';
import { CredentialRefused } from '../ports/identity.js';

/** The claim that says what a token grants; a URN, so that no provider gives it another meaning. */
export const GRANTS_CLAIM = 'urn:conference-invoicing:grants';

/** Never a slug: one that was given up may be another conference's today. */
const conferenceId = z.string().regex(/^conf_[0-9a-f]{32}$/);

/** Exactly one kind of grant. Anything unknown in it makes the whole claim void: what it was to mean is a guess. */
const grantsSchema = z.union([
  z.strictObject({ administrator: z.literal(true) }),
  z.strictObject({ conferences: z.record(conferenceId, z.enum(ConferenceRole)) }),
  z.strictObject({ purchaseOrder: z.string() }),
]);

const claimsSchema = z.object({
  sub: z.string().regex(/^[^\p{C}\p{Z}]{1,255}$/u),
  exp: z.number(),
  email: z.string().optional().catch(undefined),
  email_verified: z.boolean().optional().catch(undefined),
  // What people call themselves must not look like an address that nobody checked.
  name: z
    .string()
    .regex(/^[^@]*$/)
    .optional()
    .catch(undefined),
  [GRANTS_CLAIM]: grantsSchema,
});

/** Who a verified token stands for. Throws `CredentialRefused` when it does not say so, or grants nothing. */
export function actorOfToken(claims: Readonly<Record<string, unknown>>): Actor {
  const parsed = claimsSchema.safeParse(claims);
  if (!parsed.success) throw grantsNothing();
  const { sub, exp, email, email_verified: isVerified, name, [GRANTS_CLAIM]: claimed } = parsed.data;
  const grants = grantsOf(claimed);
  if (!grants.isAdministrator && grants.roles.size === 0 && grants.purchaseOrderId === null) throw grantsNothing();
  const id = `jwt:${sub}`;
  const label = isVerified ? (email ?? name) : name;
  return { id, name: nameOf(id, label), kind: ActorKind.USER, grants, expiresAt: new Date(exp * 1000) };
}

function grantsNothing(): CredentialRefused {
  return new CredentialRefused(
    `This token grants nothing here: it needs a "sub" without spaces, and a claim "${GRANTS_CLAIM}" with an administrator, the roles in conferences by their ids, or a purchase order.`,
  );
}

function grantsOf(claimed: z.output<typeof grantsSchema>): Grants {
  if ('administrator' in claimed) return ALL_GRANTS;
  if ('purchaseOrder' in claimed) return { ...NO_GRANTS, purchaseOrderId: claimed.purchaseOrder };
  return { ...NO_GRANTS, roles: new Map(Object.entries(claimed.conferences)) };
}

const MAX_LABEL = 100;

/** The subject is what the provider vouches for; the address or name beside it is for people. */
function nameOf(id: string, label: string | undefined): string {
  const readable = label
    ?.replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim()
    .slice(0, MAX_LABEL);
  return readable ? `${id} (${readable})` : id;
}
