import type Stripe from 'stripe';
import { calendarDay } from '../../domain/clock.js';
import { unixSeconds } from './documents.js';

/** The text is sent a while after it was written, and Stripe refuses a due date that is over. */
const MARGIN_SECONDS = 3600;

const HOUR_SECONDS = 3600;

interface DueDraft {
  readonly dueDate: string | undefined;
  readonly timezone: string;
  readonly daysUntilDue: number;
}

/** The end of the day it is due, where the conference is. A day that is over is made today, which Stripe takes. */
export function dueParams(
  { dueDate, timezone, daysUntilDue }: DueDraft,
  now: Date,
): Pick<Stripe.InvoiceCreateParams, 'due_date' | 'days_until_due'> {
  if (dueDate === undefined) return { days_until_due: daysUntilDue };
  const end = endOfDay(dueDate, timezone);
  return end < unixSeconds(now) + MARGIN_SECONDS ? { days_until_due: 0 } : { due_date: end };
}

/** The last second of a calendar day, found by halving: days begin when each time zone says, and have 23 to 25 hours. */
export function endOfDay(day: string, timeZone: string): number {
  const midnight = unixSeconds(new Date(`${day}T00:00:00Z`));
  // Time zones are at most 14 hours ahead of UTC and 12 behind.
  let during = midnight - 15 * HOUR_SECONDS;
  let after = midnight + 40 * HOUR_SECONDS;
  while (after - during > 1) {
    const middle = Math.floor((during + after) / 2);
    if (calendarDay(new Date(middle * 1000), timeZone) <= day) during = middle;
    else after = middle;
  }
  return during;
}
