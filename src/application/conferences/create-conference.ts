import { UniqueConstraintViolationException } from '@mikro-orm/core';
import { z } from 'zod';
import { Conference } from '../../domain/conference/conference.entity.js';
import { requireAdministrator } from '../access/permissions.js';
import { audit } from '../audit.js';
import type { UseCaseContext } from '../context.js';
import { type IdempotencyCode, once } from '../idempotency.js';
import { done, type Failure, type Outcome, refusal, refused } from '../outcome.js';
import { inTransaction } from '../transaction.js';
import { type Validated, validate } from '../validation.js';
import {
  conferenceCurrency,
  conferenceDay,
  conferenceLetterhead,
  conferenceName,
  conferenceSlug,
  conferenceTimezone,
  endsBeforeStart,
} from './conference-input.js';

export type CreateConferenceCode = 'SLUG_TAKEN' | 'INVALID' | IdempotencyCode;

const schema = z.object({
  name: conferenceName,
  slug: conferenceSlug,
  currencyCode: conferenceCurrency,
  timezone: conferenceTimezone,
  startDate: conferenceDay,
  endDate: conferenceDay,
  letterhead: conferenceLetterhead,
});

export interface CreateConferenceInput {
  readonly name: string;
  readonly slug: string;
  readonly currencyCode: string;
  readonly timezone: string;
  readonly startDate?: string | null;
  readonly endDate?: string | null;
  readonly letterhead?: string | null;
  readonly idempotencyKey?: string | null;
}

/** Creates a conference without a provider connection. For administrators. */
export async function createConference(
  context: UseCaseContext,
  { idempotencyKey, ...input }: CreateConferenceInput,
): Promise<Outcome<Failure<CreateConferenceCode>>> {
  requireAdministrator(context.actor);
  const checked = check(input);
  if (!checked.ok) return refused(...checked.failures);
  const request = { mutation: 'createConference', key: idempotencyKey ?? undefined, input };
  try {
    return await inTransaction(context.em, (tx) =>
      once<Failure<CreateConferenceCode>>(tx, context, request, async () => {
        const now = context.clock.now();
        const id = context.ids.next('conf');
        tx.create(Conference, { id, ...checked.value, createdAt: now, updatedAt: now });
        audit(tx, context, { action: 'conference.created', subject: id, after: checked.value });
        await tx.flush();
        return done(id);
      }),
    );
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) return slugTaken(input.slug);
    throw error;
  }
}

/** The days are compared also when other fields are wrong: every offending field is named at once. */
function check(input: Omit<CreateConferenceInput, 'idempotencyKey'>): Validated<z.output<typeof schema>> {
  const checked = validate(schema, input);
  if (!endsBeforeStart(input.startDate ?? null, input.endDate ?? null)) return checked;
  const failure = { code: 'INVALID', message: 'The end must not be before the start.', path: ['endDate'] } as const;
  return { ok: false, failures: checked.ok ? [failure] : [...checked.failures, failure] };
}

export function slugTaken(slug: string): Outcome<Failure<'SLUG_TAKEN'>> {
  return refusal('SLUG_TAKEN', `Another conference already has the slug "${slug}".`, ['slug']);
}
