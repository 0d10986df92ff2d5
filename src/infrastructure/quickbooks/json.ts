/**
 * Reads JSON without losing digits: every number arrives as the text it was written with (`"100.00"`, `"0"`), never as
 * an IEEE double. Throws `SyntaxError` for anything that is not JSON.
 */
export function parseJson(text: string): unknown {
  return JSON.parse(text, (_key, value, { source }) => (typeof value === 'number' ? source : value));
}

/** A decimal text that `JSON.stringify` writes as a number, digit for digit. Throws when it is not a JSON number. */
export function jsonDecimal(text: string): { readonly rawJSON: string } {
  return JSON.rawJSON(text);
}
