/** At most `maxLength` UTF-16 units, which is how QuickBooks (Java) counts and never more than Stripe does, without cutting a character in two. */
export function cut(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  return text
    .slice(0, maxLength)
    .replace(/[\uD800-\uDBFF]$/, '')
    .trimEnd();
}

/** The lines of a text, without the blank ones. */
export function linesOf(text: string): string[] {
  return text
    .split(/\r\n?|[\n\u2028\u2029]/)
    .map(singleLine)
    .filter(Boolean);
}

/** One line: control characters and line breaks become spaces, spaces collapse, ends are trimmed. */
export function singleLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\u2028\u2029\s]+/gu, ' ')
    .trim();
}

/** Text that may have line breaks, without other control characters. */
export function multiLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(/[^\P{Cc}\n]/gu, ' ')
    .trim();
}
