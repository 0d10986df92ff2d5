import { LockMode, ref } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { z } from 'zod';
import { ConferenceRole } from '../../domain/access/grants.js';
import { Conference } from '../../domain/conference/conference.entity.js';
import {
  accountCompanyId,
  StripeConnection,
  StripeConnectionStatus,
} from '../../domain/stripe/stripe-connection.entity.js';
import { WebhookEvent, WebhookEventState } from '../../domain/webhook/webhook-event.entity.js';
import { audit } from '../audit.js';
import { findConference } from '../conferences/find-conference.js';
import { done, type Failure, type Outcome, refusal, refused } from '../outcome.js';
import type { ProvenAccount } from '../ports/billing.js';
import type { ProviderFailure } from '../ports/provider.js';
import { recordInTransaction } from '../transaction.js';
import { validate } from '../validation.js';
import type { StripeContext } from './stripe-context.js';

export type ConfigureStripeCode = 'NOT_FOUND' | 'INVALID' | 'ACCOUNT_MISMATCH' | 'STRIPE_UNAVAILABLE';
export type ConfigureStripeOutcome = Outcome<Failure<ConfigureStripeCode>>;

export interface ConfigureStripeInput {
  readonly conferenceId: string;
  readonly secretKey: string;
  /** Several, separated by commas, while one replaces another. Blank, like the next ones, keeps what is stored. */
  readonly webhookSecret?: string | null;
  readonly publishableKey?: string | null;
  readonly daysUntilDue?: number | null;
}

/** Of a conference that never said another number. What invoices mostly say. */
const DEFAULT_DAYS_UNTIL_DUE = 30;

const trimmed = z.string().trim().max(1000, 'This is too long for a key.');

const schema = z
  .object({
    secretKey: trimmed.regex(
      /^(sk|rk)_(live|test)_\w+$/,
      'A secret key begins with sk_live_, sk_test_, rk_live_ or rk_test_.',
    ),
    webhookSecret: trimmed
      .nullish()
      .transform((text) => text ?? '')
      .refine((text) => text === '' || text.split(',').every((secret) => /^whsec_\S+$/.test(secret.trim())), {
        error: 'A signing secret of a webhook endpoint begins with whsec_.',
      }),
    publishableKey: trimmed
      .nullish()
      .transform((text) => text || null)
      .refine((text) => text === null || /^pk_(live|test)_\w+$/.test(text), {
        error: 'A publishable key begins with pk_live_ or pk_test_.',
      }),
    daysUntilDue: z
      .int('Give a whole number of days.')
      .min(0, 'An invoice is due today at the earliest.')
      .max(365, 'An invoice is due within 365 days.')
      .nullish(),
  })
  .refine(({ secretKey, publishableKey }) => publishableKey === null || modeOf(publishableKey) === modeOf(secretKey), {
    path: ['publishableKey'],
    error: 'One key is a live key and the other one a test key.',
  });

type CheckedInput = z.output<typeof schema>;

function modeOf(key: string): string | undefined {
  return key.split('_')[1];
}

/**
 * Connects a conference to a Stripe account, or gives its connection another key. The key is proven by reading the account
 * before anything is stored. `id` is the conference's.
 */
export async function configureStripe(
  context: StripeContext,
  { conferenceId, ...input }: ConfigureStripeInput,
): Promise<ConfigureStripeOutcome> {
  const checked = validate(schema, input);
  if (!checked.ok) return refused(...checked.failures);
  const wanted = { id: conferenceId, needed: ConferenceRole.ORGANISER };
  const conference = await findConference(context.em.fork(), context.actor, wanted);
  if (!conference) return refusal('NOT_FOUND', 'There is no conference with this id.', ['conferenceId']);
  const proven = await context.billing.proveKey(checked.value.secretKey);
  if (!proven.ok) return describeRefusal(proven.failure);
  if (proven.value.simulated && !context.allowsStripeSimulator) {
    return refusal('INVALID', 'The endpoint that answered is a simulator, which is refused here.', ['secretKey']);
  }
  const sealed = await seal(context, checked.value);
  const proof = { conferenceId, input: checked.value, account: proven.value, sealed };
  return recordInTransaction(context, (tx) => store(tx, context, proof));
}

function describeRefusal(failure: ProviderFailure): ConfigureStripeOutcome {
  if (failure.kind === 'reconnect_required' || failure.kind === 'rejected') {
    return refusal('INVALID', `Stripe did not accept this secret key. ${failure.message}`, ['secretKey']);
  }
  return refusal('STRIPE_UNAVAILABLE', `Stripe could not be asked; nothing was stored. ${failure.message}`);
}

async function seal({ secrets }: StripeContext, { secretKey, webhookSecret }: CheckedInput) {
  return {
    secretKey: await secrets.seal(secretKey),
    ...(webhookSecret !== '' && { webhookSecret: await secrets.seal(webhookSecret) }),
  };
}

interface ProvenConnection {
  readonly conferenceId: string;
  readonly input: CheckedInput;
  readonly account: ProvenAccount;
  readonly sealed: Awaited<ReturnType<typeof seal>>;
}

async function store(
  tx: EntityManager,
  context: StripeContext,
  proof: ProvenConnection,
): Promise<ConfigureStripeOutcome> {
  const { conferenceId, input, account, sealed } = proof;
  // The first of two that connect the conference at once creates the row.
  await tx.findOneOrFail(Conference, conferenceId, { lockMode: LockMode.PESSIMISTIC_WRITE });
  // An invoice that is being claimed holds this row: it is seen here, or sees what is stored here.
  const existing = await tx.findOne(
    StripeConnection,
    { conference: conferenceId },
    { lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  const isSameAccount = existing !== null && accountCompanyId(existing) === accountCompanyId(account);
  const problem = existing && !isSameAccount ? await findInvoicesElsewhere(tx, existing) : undefined;
  if (problem) return problem;
  if (sealed.webhookSecret === undefined && !isSameAccount) return webhookSecretMissing(existing);
  const now = context.clock.now();
  // A publishable key belongs to its account; when invoices are due, the conference decides.
  const publishableKey = input.publishableKey ?? (isSameAccount ? existing.publishableKey : null);
  const daysUntilDue = input.daysUntilDue ?? existing?.daysUntilDue ?? DEFAULT_DAYS_UNTIL_DUE;
  const settings = { publishableKey, daysUntilDue, status: StripeConnectionStatus.CONNECTED, updatedAt: now };
  const connection = existing ?? create(tx, context, proof, settings);
  Object.assign(connection, { ...account, ...sealed, ...settings });
  // Another account tells of other events.
  if (!isSameAccount)
    Object.assign(connection, { sweptUntil: null, sweepError: null, sweepDueAt: firstSweep(context) });
  audit(tx, context, {
    action: 'stripe_connection.configured',
    subject: conferenceId,
    after: { accountId: account.accountId, liveMode: account.liveMode, publishableKey, daysUntilDue },
  });
  await tx.flush();
  await wakePostponedEvents(tx, connection, now);
  return done(conferenceId);
}

function create(
  tx: EntityManager,
  context: StripeContext,
  { conferenceId, account, sealed }: ProvenConnection,
  settings: Pick<StripeConnection, 'publishableKey' | 'daysUntilDue' | 'status' | 'updatedAt'>,
): StripeConnection {
  return tx.create(StripeConnection, {
    id: context.ids.next('str'),
    conference: ref(Conference, conferenceId),
    ...account,
    secretKey: sealed.secretKey,
    webhookSecret: sealed.webhookSecret ?? '',
    ...settings,
    sweepDueAt: firstSweep(context),
    createdAt: settings.updatedAt,
  });
}

function firstSweep({ clock, waits }: StripeContext): Date {
  return new Date(clock.now().getTime() + waits.firstSweepMs);
}

/** Those that can still be paid there, and those on which money of that account is booked and may be given back. */
async function findInvoicesElsewhere(
  tx: EntityManager,
  existing: StripeConnection,
): Promise<ConfigureStripeOutcome | undefined> {
  const [row] = await tx.execute<{ count: number }[]>(
    `select count(*)::int as count from invoice where stripe_connection_id = ? and (
       status not in ('VOIDED', 'DELETED') or exists (
         select from payment
         where payment.purchase_order_id = invoice.purchase_order_id
           and payment.provider_company = invoice.company_id and payment.provider_invoice_id = invoice.external_id
           and not exists (select from payment_reversal where payment_reversal.payment_id = payment.id)))`,
    [existing.id],
  );
  const count = row?.count ?? 0;
  if (count === 0) return undefined;
  const message = `This conference has ${count} invoice(s) in another Stripe account (${existing.accountId}) that are live or paid. Its key can be replaced only by another one of that account.`;
  return refusal('ACCOUNT_MISMATCH', message, ['secretKey']);
}

function webhookSecretMissing(existing: StripeConnection | null): ConfigureStripeOutcome {
  const message = existing
    ? 'Another account has another webhook endpoint: give its signing secret, too.'
    : 'Give the signing secret of the webhook endpoint.';
  return refusal('INVALID', message, ['webhookSecret']);
}

/** Events that waited for the key are due now. */
async function wakePostponedEvents(tx: EntityManager, { id }: StripeConnection, now: Date): Promise<void> {
  const waiting = { provider: 'STRIPE', companyId: id, state: WebhookEventState.RECEIVED };
  await tx.nativeUpdate(WebhookEvent, waiting, { nextAttemptAt: now });
}
