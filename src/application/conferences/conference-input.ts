import { z } from 'zod';
import { isTimeZone } from '../../domain/clock.js';
import { isCurrencyCode } from '../../domain/currency.js';
import { optionalDay, optionalText, requiredLine } from '../validation.js';

export const conferenceName = requiredLine('The name', 200);

const BAD_SLUG = 'A slug has lower-case letters, digits and single hyphens, e.g. "pycon-2027".';

export const conferenceSlug = z
  .string(BAD_SLUG)
  .max(200, 'The slug must have at most 200 characters.')
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, BAD_SLUG);

export const conferenceCurrency = z
  .string('A conference has a currency.')
  .refine((code) => isCurrencyCode(code), { error: 'This is not an ISO 4217 currency code.' });

export const conferenceTimezone = z
  .string('A conference has a time zone.')
  .refine(isTimeZone, { error: 'This is not an IANA time zone such as "Europe/Berlin".' });

export const conferenceDay = optionalDay;

export const conferenceLetterhead = optionalText('The letterhead', 2000);

export function endsBeforeStart(startDate: string | null, endDate: string | null): boolean {
  return startDate !== null && endDate !== null && endDate < startDate;
}
