import { LockMode, UniqueConstraintViolationException } from '@mikro-orm/core';
import { z } from 'zod';
import { ConferenceRole } from '../../domain/access/grants.js';
import { audit } from '../audit.js';
import type { UseCaseContext } from '../context.js';
import { done, type Failure, type Outcome, refusal, refused } from '../outcome.js';
import { inTransaction } from '../transaction.js';
import { validate } from '../validation.js';
import {
  conferenceCurrency,
  conferenceDay,
  conferenceLetterhead,
  conferenceName,
  conferenceSlug,
  conferenceTimezone,
  endsBeforeStart,
} from './conference-input.js';
import { slugTaken } from './create-conference.js';
import { findConference } from './find-conference.js';

export type UpdateConferenceCode = 'NOT_FOUND' | 'SLUG_TAKEN' | 'INVALID';

const schema = z.object({
  name: conferenceName.optional(),
  slug: conferenceSlug.optional(),
  currencyCode: conferenceCurrency.optional(),
  timezone: conferenceTimezone.optional(),
  startDate: conferenceDay.optional(),
  endDate: conferenceDay.optional(),
  letterhead: conferenceLetterhead.optional(),
});

export interface UpdateConferenceInput {
  readonly conferenceId: string;
  readonly name?: string | null;
  readonly slug?: string | null;
  readonly currencyCode?: string | null;
  readonly timezone?: string | null;
  readonly startDate?: string | null;
  readonly endDate?: string | null;
  readonly letterhead?: string | null;
}

/**
 * Changes the given fields only. A new currency counts for new purchase orders; existing ones keep theirs.
 */
export async function updateConference(
  context: UseCaseContext,
  { conferenceId, ...input }: UpdateConferenceInput,
): Promise<Outcome<Failure<UpdateConferenceCode>>> {
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  const checked = validate(schema, given);
  if (!checked.ok) return refused(...checked.failures);
  const changes = pick(checked.value, Object.keys(given));
  try {
    return await inTransaction(context.em, async (tx) => {
      const wanted = { id: conferenceId, needed: ConferenceRole.ORGANISER, lockMode: LockMode.PESSIMISTIC_WRITE };
      const conference = await findConference(tx, context.actor, wanted);
      if (!conference) return refusal('NOT_FOUND', 'There is no conference with this id.', ['conferenceId']);
      if (Object.keys(given).length === 0) return done(conferenceId);
      const before = pick(conference, Object.keys(given));
      Object.assign(conference, changes, { updatedAt: context.clock.now() });
      if (endsBeforeStart(conference.startDate, conference.endDate)) {
        tx.clear();
        return refusal('INVALID', 'The end must not be before the start.', ['endDate']);
      }
      audit(tx, context, { action: 'conference.updated', subject: conferenceId, before, after: changes });
      await tx.flush();
      return done(conferenceId);
    });
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) return slugTaken(String(input.slug));
    throw error;
  }
}

function pick<T extends object>(source: T, names: readonly string[]): Partial<T> {
  return Object.fromEntries(Object.entries(source).filter(([name]) => names.includes(name))) as Partial<T>;
}
