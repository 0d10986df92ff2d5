import type { EntityManager } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { ApiKey, ApiKeyKind } from '../../domain/access/api-key.entity.js';
import { ApiKeyRole } from '../../domain/access/api-key-role.entity.js';
import { ConferenceRole } from '../../domain/access/grants.js';
import { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import { audit } from '../audit.js';
import { findConference } from '../conferences/find-conference.js';
import type { Actor, UseCaseContext } from '../context.js';
import { done, type Failure, type Outcome, refusal, refused } from '../outcome.js';
import { inTransaction } from '../transaction.js';
import { requiredLine, validate } from '../validation.js';
import { BOOTSTRAP_NAME, generateApiKey, storedForm } from './api-keys.js';
import { requireAdministrator, requireRoleIn, seesPurchaseOrder } from './permissions.js';

export type CreateApiKeyCode = 'INVALID' | 'NOT_FOUND';

/** Under these names parts of the system, the bearers of tokens and the key of the configuration stand in the audit trail. */
const RESERVED_NAME = new RegExp(`^(system|unknown|nobody|quickbooks|stripe|${BOOTSTRAP_NAME}|jwt:.*)$`, 'i');

/** Nobody runs so many conferences at once, and each is checked. */
const MAX_ROLES = 100;

function inputSchema(now: Date, { expiresAt: end }: Actor) {
  return z
    .object({
      name: requiredLine('The name', 100).refine((name) => !RESERVED_NAME.test(name), {
        error: 'This name is reserved for the system.',
      }),
      expiresAt: z
        .date()
        .refine((time) => time > now, { error: 'The key would be expired already.' })
        .nullish()
        .transform((time) => time ?? null)
        .refine((time) => end === undefined || (time !== null && time <= end), {
          error: `Yours ends at ${end?.toISOString()}: let the new key end by then.`,
        }),
      administrator: z
        .boolean()
        .nullish()
        .transform((isOne) => isOne ?? false),
      roles: z
        .array(z.object({ conferenceId: z.string(), role: z.enum(ConferenceRole) }))
        .max(MAX_ROLES, `A key has roles in at most ${MAX_ROLES} conferences.`)
        .refine((roles) => new Set(roles.map(({ conferenceId }) => conferenceId)).size === roles.length, {
          error: 'Name each conference once.',
        })
        .nullish()
        .transform((roles) => roles ?? []),
      purchaseOrderId: z
        .string()
        .nullish()
        .transform((id) => id ?? null),
    })
    .refine(
      ({ administrator, roles, purchaseOrderId }) =>
        [administrator, roles.length > 0, purchaseOrderId !== null].filter(Boolean).length === 1,
      { error: 'A key grants exactly one of these: administrator, roles or purchaseOrderId.' },
    );
}

type CheckedInput = z.output<ReturnType<typeof inputSchema>>;

export interface CreateApiKeyInput {
  readonly name: string;
  readonly expiresAt?: Date | null;
  readonly administrator?: boolean | null;
  readonly roles?: readonly { readonly conferenceId: string; readonly role: string }[] | null;
  readonly purchaseOrderId?: string | null;
}

export interface CreateApiKeyOutcome extends Outcome<Failure<CreateApiKeyCode>> {
  /** The key itself, which is nowhere stored; null when none was made. */
  readonly secret: string | null;
}

/**
 * Makes an API key. Nobody grants what is not theirs: administrators are made by administrators, and roles and looks at
 * purchase orders by organisers of their conferences. Nor for longer than it is theirs: a key ends with what made it.
 */
export async function createApiKey(context: UseCaseContext, input: CreateApiKeyInput): Promise<CreateApiKeyOutcome> {
  const checked = validate(inputSchema(context.clock.now(), context.actor), input);
  if (!checked.ok) return { ...refused(...checked.failures), secret: null };
  const secret = generateApiKey();
  const outcome = await inTransaction(context.em, async (tx) => {
    const problem = await whyNotGrantable(tx, context.actor, checked.value);
    return problem ?? store(tx, context, checked.value, secret);
  });
  return { ...outcome, secret: outcome.id === null ? null : secret };
}

async function whyNotGrantable(
  tx: EntityManager,
  actor: Actor,
  { administrator, roles, purchaseOrderId }: CheckedInput,
): Promise<Outcome<Failure<CreateApiKeyCode>> | undefined> {
  const needed = ConferenceRole.ORGANISER;
  if (administrator) requireAdministrator(actor);
  for (const [index, { conferenceId }] of roles.entries()) {
    if (await findConference(tx, actor, { id: conferenceId, needed })) continue;
    return refusal('NOT_FOUND', 'There is no conference with this id.', ['roles', String(index), 'conferenceId']);
  }
  if (purchaseOrderId === null) return undefined;
  const order = await tx.findOne(PurchaseOrder, purchaseOrderId);
  const conferenceId = order?.conference.id;
  if (conferenceId === undefined || !seesPurchaseOrder(actor, { id: purchaseOrderId, conferenceId })) {
    return refusal('NOT_FOUND', 'There is no purchase order with this id.', ['purchaseOrderId']);
  }
  requireRoleIn(actor, conferenceId, needed);
  return undefined;
}

async function store(
  tx: EntityManager,
  context: UseCaseContext,
  { name, expiresAt, administrator, roles, purchaseOrderId }: CheckedInput,
  secret: string,
): Promise<Outcome<never>> {
  const { ADMINISTRATOR, ROLES, PURCHASE_ORDER } = ApiKeyKind;
  const kind = administrator ? ADMINISTRATOR : roles.length > 0 ? ROLES : PURCHASE_ORDER;
  const key = tx.create(ApiKey, {
    id: context.ids.next('key'),
    name,
    ...storedForm(secret),
    kind,
    purchaseOrder: purchaseOrderId,
    createdBy: context.actor.name,
    createdById: context.actor.id,
    createdAt: context.clock.now(),
    expiresAt,
  });
  for (const { conferenceId, role } of roles) tx.create(ApiKeyRole, { apiKey: key, conference: conferenceId, role });
  audit(tx, context, {
    action: 'api_key.created',
    subject: key.id,
    after: { name, prefix: key.prefix, kind, roles, purchaseOrderId, expiresAt },
  });
  await tx.flush();
  return done(key.id);
}
