const MINUTE_MS = 60_000;
const pacific = new Intl.DateTimeFormat('en-US', { timeZone: 'America/Los_Angeles', timeZoneName: 'longOffset' });

function pacificOffset(epochMs: number): { text: string; behindUtcMs: number } {
  return pacific.format(epochMs).endsWith('-07:00')
    ? { text: '-07:00', behindUtcMs: 7 * 60 * MINUTE_MS }
    : { text: '-08:00', behindUtcMs: 8 * 60 * MINUTE_MS };
}

/** Envelope times carry milliseconds and a Pacific offset, never `Z`. */
export function envelopeTime(epochMs: number): string {
  const offset = pacificOffset(epochMs);
  return new Date(epochMs - offset.behindUtcMs).toISOString().replace('Z', offset.text);
}

/** `MetaData` times carry whole seconds. */
export function metaTime(epochMs: number): string {
  return envelopeTime(epochMs).replace(/\.\d{3}/, '');
}

/** Recorded `MetaData` times fit rounding to the nearest second. */
export function nearestSecond(epochMs: number): number {
  const shifted = epochMs + 500;
  return shifted - (shifted % 1000);
}

/** The server's calendar day is the Pacific one. */
export function pacificDay(epochMs: number): string {
  return envelopeTime(epochMs).slice(0, 10);
}

export function addDays(day: string, days: number): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}

export function isCalendarDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

const DATE_TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

/** Epoch milliseconds of a date or date-time; what has no zone is taken as Pacific time. Undefined when it is neither. */
export function parseMoment(text: string): number | undefined {
  if (!DATE_TIME.test(text)) return undefined;
  const withTime = text.length === 10 ? `${text}T00:00:00` : text;
  const zoned = /(Z|[+-]\d{2}:?\d{2})$/.test(withTime.slice(10));
  const asUtc = Date.parse(zoned ? withTime : `${withTime}Z`);
  if (Number.isNaN(asUtc)) return undefined;
  return zoned ? asUtc : asUtc + pacificOffset(asUtc).behindUtcMs;
}
