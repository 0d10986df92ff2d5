const MAX_DEPTH = 10;
const MAX_ENTRIES = 100;
const MAX_TEXT_LENGTH = 1000;

/**
 * A copy of received JSON that is safe to store as jsonb: PostgreSQL refuses NUL and lone surrogates in texts, what is
 * nested deeper, longer or wider than real events is cut, and secrets with which a payment could be taken on are left out.
 */
export function storablePayload(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return storableText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[cut: nested too deeply]';
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((entry) => storablePayload(entry, depth + 1));
  const entries = Object.entries(value).filter(([key]) => !/secret/i.test(key));
  return Object.fromEntries(
    entries.slice(0, MAX_ENTRIES).map(([key, entry]) => [storableText(key), storablePayload(entry, depth + 1)]),
  );
}

function storableText(text: string): string {
  return text.slice(0, MAX_TEXT_LENGTH).toWellFormed().replaceAll('\0', '\uFFFD');
}
