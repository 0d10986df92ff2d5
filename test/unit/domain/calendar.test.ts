import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { calendarDay, isCalendarDay, isTimeZone, systemClock } from '../../../src/domain/clock.js';

describe('calendar days', () => {
  test.each(['2026-11-02', '2024-02-29', '2000-02-29', '0001-01-01', '9999-12-31'])('%s is one', (text) => {
    expect(isCalendarDay(text)).toBe(true);
  });

  test.each([
    '2026-02-30',
    '2026-02-29',
    '1900-02-29',
    '2026-13-01',
    '2026-00-01',
    '2026-01-00',
    '2026-1-1',
    '26-01-01',
    '0000-01-01',
    '10000-01-01',
    '2026-11-02T00:00:00Z',
    ' 2026-11-02',
    '2026-11-02\n',
    '',
    'today',
  ])('%j is not', (text) => {
    expect(isCalendarDay(text)).toBe(false);
  });

  test('every day that exists is accepted', () => {
    const days = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(days, (day) => {
        expect(isCalendarDay(day.toISOString().slice(0, 10))).toBe(true);
      }),
    );
  });
});

describe('which day it is', () => {
  test.each([
    ['2026-11-02T04:30:00Z', 'America/New_York', '2026-11-01'],
    ['2026-11-02T05:30:00Z', 'America/New_York', '2026-11-02'],
    ['2026-11-02T15:00:00Z', 'Asia/Tokyo', '2026-11-03'],
    ['2026-11-02T14:59:59Z', 'Asia/Tokyo', '2026-11-02'],
    ['2026-12-31T23:59:59Z', 'UTC', '2026-12-31'],
    ['2026-12-31T23:00:00Z', 'Europe/Berlin', '2027-01-01'],
    ['2026-03-29T00:59:59Z', 'Europe/Berlin', '2026-03-29'],
  ])('at %s in %s is %s', (instant, zone, day) => {
    expect(calendarDay(new Date(instant), zone)).toBe(day);
  });
});

describe('time zones', () => {
  test.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Asia/Kolkata'])('%s is one', (name) => {
    expect(isTimeZone(name)).toBe(true);
  });

  test.each(['', 'Mars/Olympus', '+01:00', '-0500', 'Europe/Berlin ', 'GMT+1:00x'])('%j is not', (name) => {
    expect(isTimeZone(name)).toBe(false);
  });
});

test('the clock of the system is the present', () => {
  const before = Date.now();
  const now = systemClock.now().getTime();
  expect(now).toBeGreaterThanOrEqual(before);
  expect(now).toBeLessThanOrEqual(Date.now());
});
