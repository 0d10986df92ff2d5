import { LockMode, ref, UniqueConstraintViolationException } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { ConferenceRole } from '../../domain/access/grants.js';
import { Conference } from '../../domain/conference/conference.entity.js';
import { Invoice } from '../../domain/invoice/invoice.entity.js';
import { InvoiceProvider, InvoiceStatus } from '../../domain/invoice/invoice.status.js';
import {
  companyIdOf,
  QboConnection,
  QboConnectionStatus,
  QboEnvironment,
} from '../../domain/quickbooks/qbo-connection.entity.js';
import { WebhookEvent, WebhookEventState } from '../../domain/webhook/webhook-event.entity.js';
import { hasRoleIn } from '../access/permissions.js';
import { audit } from '../audit.js';
import { findConference } from '../conferences/find-conference.js';
import type { Actor } from '../context.js';
import { done, type Failure, type Outcome, refusal, refused } from '../outcome.js';
import type { CompanyCredentials, ProvenCompany, TokenClaim } from '../ports/accounting.js';
import { type ProviderFailure, type ProviderResult, succeeded } from '../ports/provider.js';
import { recordInTransaction } from '../transaction.js';
import { validate } from '../validation.js';
import type { QboContext } from './qbo-context.js';

export type ConfigureQboConnectionCode =
  | 'NOT_FOUND'
  | 'INVALID'
  | 'REALM_MISMATCH'
  | 'QBO_UNAVAILABLE'
  | 'SHARED_COMPANY';
export type ConfigureQboConnectionOutcome = Outcome<Failure<ConfigureQboConnectionCode>>;

const token = (what: string) =>
  z.string().trim().min(1, `${what} must not be blank.`).max(4096, `${what} must have at most 4096 characters.`);

const schema = z
  .object({
    environment: z.enum(QboEnvironment),
    realmId: z.string().regex(/^\d{1,30}$/, 'A realm id is a number, as in the URL of the OAuth redirect.'),
    accessToken: token('The access token'),
    refreshToken: token('The refresh token'),
    accessTokenExpiresAt: z.date().nullish(),
    clientId: token('The client id').nullish(),
    clientSecret: token('The client secret').nullish(),
    serviceItemId: z
      .string()
      .regex(/^\d{1,20}$/, 'An item id is a number.')
      .nullish(),
  })
  .refine(({ clientId, clientSecret }) => Boolean(clientId) === Boolean(clientSecret), {
    path: ['clientSecret'],
    error: 'Give both clientId and clientSecret, or neither.',
  });

type CheckedInput = z.output<typeof schema>;

export interface ConfigureQboConnectionInput {
  readonly conferenceId: string;
  readonly environment: string;
  readonly realmId: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly accessTokenExpiresAt?: Date | null;
  readonly clientId?: string | null;
  readonly clientSecret?: string | null;
  readonly serviceItemId?: string | null;
}

/**
 * Connects a conference to a QuickBooks company, or reconnects the company. The tokens are proven by reading the
 * company before anything is stored. Conferences of one company share the connection; while it is healthy it keeps its
 * own token chain, and pasted tokens only prove that the caller may use the company. Only when they had to be refreshed
 * for that, which is done as the company's only refresher, the new ones are stored: the refresh may have ended the very
 * chain that is stored. Item and app of a company that works are changed only by an organiser of all its conferences: with
 * `SHARED_COMPANY` the conference is connected, and they stay. `id` is the conference's.
 */
export async function configureQboConnection(
  context: QboContext,
  { conferenceId, ...input }: ConfigureQboConnectionInput,
): Promise<ConfigureQboConnectionOutcome> {
  const checked = validate(schema, input);
  if (!checked.ok) return refused(...checked.failures);
  const problem = await findProblem(context, conferenceId, checked.value);
  if (problem) return problem;
  const app = clientPair(context, checked.value);
  if (!app) return missingClientPair();
  const { accessTokenExpiresAt, ...given } = checked.value;
  const credentials: CompanyCredentials = { ...given, ...app, accessTokenExpiresAt: accessTokenExpiresAt ?? undefined };
  const existing = await findConnection(context.em.fork(), checked.value);
  const proven = await context.accounting.proveCredentials(credentials, existing?.id);
  if (!proven.ok) return describeRefusal(proven.failure);
  const { simulated, claim } = proven.value;
  if (simulated && !context.allowsSimulators) {
    if (claim) await context.accounting.releaseTokens(claim);
    return simulatorRefused();
  }
  const replaceable = await findReplaceable(context, existing, claim);
  if (!replaceable.ok) return describeRefusal(replaceable.failure);
  const sealed = await seal(context, checked.value, proven.value);
  const proof = { conferenceId, input: checked.value, sealed, replaces: replaceable.value };
  const storeProof = () => recordInTransaction(context, (tx) => store(tx, context, proof));
  // Somebody connected the same company for the first time just now: it exists the second time.
  return storeProof().catch((error: unknown) => {
    if (error instanceof UniqueConstraintViolationException) return storeProof();
    throw error;
  });
}

function clientPair({ defaultApp }: QboContext, { clientId, clientSecret }: CheckedInput) {
  return clientId && clientSecret ? { clientId, clientSecret } : defaultApp;
}

function missingClientPair(): ConfigureQboConnectionOutcome {
  return refusal(
    'INVALID',
    'No Intuit app is known: give clientId and clientSecret, or set QBO_CLIENT_ID and QBO_CLIENT_SECRET.',
    ['clientId'],
  );
}

async function findProblem(
  { em, actor }: QboContext,
  conferenceId: string,
  { environment, realmId }: CheckedInput,
): Promise<ConfigureQboConnectionOutcome | undefined> {
  const conference = await findConference(em, actor, { id: conferenceId, needed: ConferenceRole.ORGANISER });
  if (!conference) return refusal('NOT_FOUND', 'There is no conference with this id.', ['conferenceId']);
  const elsewhere = await em.count(Invoice, {
    purchaseOrder: { conference: conferenceId },
    provider: InvoiceProvider.QBO,
    companyId: { $ne: companyIdOf({ environment, realmId }) },
    status: { $nin: [InvoiceStatus.VOIDED, InvoiceStatus.DELETED] },
  });
  if (elsewhere === 0) return undefined;
  const message = `This conference has ${elsewhere} live invoice(s) in another QuickBooks company. Settle or void them first.`;
  return refusal('REALM_MISMATCH', message, ['realmId']);
}

/** QuickBooks answers 403 to a token of another company, and 401 or a failed refresh to one that is dead. */
function describeRefusal(failure: ProviderFailure): ConfigureQboConnectionOutcome {
  if (failure.kind === 'reconnect_required' && failure.trace.statusCode === 403) {
    return refusal('REALM_MISMATCH', `These tokens do not open this company. ${failure.message}`, ['realmId']);
  }
  if (failure.kind === 'reconnect_required' || failure.kind === 'rejected') {
    return refusal('INVALID', `QuickBooks did not accept these credentials. ${failure.message}`, ['accessToken']);
  }
  return refusal('QBO_UNAVAILABLE', `QuickBooks could not be asked; nothing was stored. ${failure.message}`);
}

function findConnection(
  em: EntityManager,
  { environment, realmId }: CheckedInput,
  lockMode: LockMode = LockMode.NONE,
): Promise<QboConnection | null> {
  return em.findOne(QboConnection, { environment, realmId }, { lockMode });
}

/**
 * The tokens of the company's connection, if they do not work. Nobody tells us that a person consented anew in
 * QuickBooks, which ends the old ones: only using them shows it. While that cannot be done, neither keeping nor replacing
 * them would be right.
 */
async function findReplaceable(
  { accounting }: QboContext,
  existing: QboConnection | null,
  claim: TokenClaim | undefined,
): Promise<ProviderResult<ReplaceableTokens | undefined>> {
  if (claim || !existing) return succeeded(claim);
  const tried = await accounting.tryTokens(existing.id);
  if (tried.ok) return succeeded(tried.value.areRefused ? tried.value : undefined);
  return tried.failure.kind === 'reconnect_required' ? succeeded({ tokenVersion: existing.tokenVersion }) : tried;
}

function simulatorRefused(): ConfigureQboConnectionOutcome {
  return refusal('INVALID', 'The endpoint that answered is a simulator, which production refuses.', ['realmId']);
}

/** What to store of the credentials, secrets sealed. */
async function seal({ secrets }: QboContext, { clientId, clientSecret }: CheckedInput, proven: ProvenCompany) {
  const { accessToken, refreshToken, accessTokenExpiresAt } = proven.tokens;
  return {
    companyName: proven.companyName,
    simulated: proven.simulated,
    clientId: clientId ?? null,
    clientSecret: clientSecret ? await secrets.seal(clientSecret) : null,
    accessToken: await secrets.seal(accessToken),
    refreshToken: await secrets.seal(refreshToken),
    accessTokenExpiresAt,
    refreshedAt: null,
    refreshTokenExpiresAt: proven.tokens.refreshTokenExpiresAt ?? null,
    refreshTokenHardExpiresAt: proven.tokens.refreshTokenHardExpiresAt ?? null,
    previousRefreshToken: null,
    refreshTokenChangedAt: null,
  };
}

interface ProvenConnection {
  readonly conferenceId: string;
  readonly input: CheckedInput;
  readonly sealed: Awaited<ReturnType<typeof seal>>;
  /** Undefined: the company's connection, if there is one, keeps the tokens that it has. */
  readonly replaces: ReplaceableTokens | undefined;
}

/** Those that were stored when the new ones were proven. Others that were stored meanwhile are newer, and stay. */
type ReplaceableTokens = Pick<TokenClaim, 'tokenVersion'> & Partial<Pick<TokenClaim, 'fence'>>;

async function store(
  tx: EntityManager,
  context: QboContext,
  { conferenceId, input, sealed, replaces }: ProvenConnection,
): Promise<ConfigureQboConnectionOutcome> {
  const conference = await tx.findOneOrFail(Conference, conferenceId, { lockMode: LockMode.PESSIMISTIC_WRITE });
  const { environment, realmId, serviceItemId } = input;
  const now = context.clock.now();
  const existing = await findConnection(tx, input, LockMode.PESSIMISTIC_WRITE);
  const connection = existing ?? createConnection(tx, context, input, sealed);
  if (existing && mayReplace(existing, replaces)) replaceTokens(existing, sealed);
  const isOwn = existing === null || (await isOrganiserOfAll(tx, context.actor, existing));
  if (serviceItemId && isOwn) connection.serviceItemId = serviceItemId;
  // A secret that was replaced at Intuit must be taken also while the access token still works without it.
  if (sealed.clientSecret !== null && isOwn) Object.assign(connection, pickApp(sealed));
  const settings = connection.settings && { ...connection.settings, isStale: true };
  Object.assign(connection, { companyName: sealed.companyName, settings, updatedAt: now });
  conference.qboConnection = ref(connection);
  conference.updatedAt = now;
  audit(tx, context, {
    action: 'qbo_connection.configured',
    subject: conferenceId,
    after: { environment, realmId, serviceItemId: connection.serviceItemId },
  });
  await tx.flush();
  await wakePostponedEvents(tx, realmId, now);
  return serviceItemId && connection.serviceItemId !== serviceItemId ? itemKept(conferenceId) : done(conferenceId);
}

/** Whether nobody else's invoices depend on the company. */
async function isOrganiserOfAll(tx: EntityManager, actor: Actor, connection: QboConnection): Promise<boolean> {
  if (actor.grants.isAdministrator) return true;
  const conferences = await tx.find(Conference, { qboConnection: connection });
  return conferences.every(({ id }) => hasRoleIn(actor, id, ConferenceRole.ORGANISER));
}

function itemKept(conferenceId: string): ConfigureQboConnectionOutcome {
  const message =
    'The conference is connected. Conferences of other organisers use this company, too, so its item stays as it is: an administrator can change it.';
  return { id: conferenceId, failures: [{ code: 'SHARED_COMPANY', message, path: ['serviceItemId'] }] };
}

/** Events that waited for the reconnection are due now. */
async function wakePostponedEvents(tx: EntityManager, realmId: string, now: Date): Promise<void> {
  const waiting = { provider: 'QBO', companyId: realmId, state: WebhookEventState.RECEIVED };
  await tx.nativeUpdate(WebhookEvent, waiting, { nextAttemptAt: now });
}

/** A connection that is dead has nothing to lose. */
function mayReplace(
  { status, tokenVersion, refreshFence }: QboConnection,
  replaces: ReplaceableTokens | undefined,
): boolean {
  if (status === QboConnectionStatus.RECONNECT_REQUIRED) return true;
  return replaces?.tokenVersion === tokenVersion && (replaces.fence ?? refreshFence) === refreshFence;
}

function createConnection(
  tx: EntityManager,
  { clock, ids }: QboContext,
  { environment, realmId }: CheckedInput,
  sealed: ProvenConnection['sealed'],
): QboConnection {
  const now = clock.now();
  const status = QboConnectionStatus.CONNECTED;
  const fields = { environment, realmId, status, ...sealed, createdAt: now, updatedAt: now };
  return tx.create(QboConnection, { id: ids.next('qbo'), ...fields });
}

function pickApp({ clientId, clientSecret }: ProvenConnection['sealed']) {
  return { clientId, clientSecret };
}

/** A new chain of tokens begins; whoever is refreshing the old chain is fenced off. */
function replaceTokens(connection: QboConnection, sealed: ProvenConnection['sealed']): void {
  Object.assign(connection, sealed, {
    status: QboConnectionStatus.CONNECTED,
    tokenVersion: connection.tokenVersion + 1,
    refreshFence: connection.refreshFence + 1,
    refreshLeaseUntil: null,
  });
}
