const AMOUNT = /^-?\d+\.\d\d$/;

/**
 * An answer as it is compared. Amounts become minor units, under the name of the field: we tell `total: {amount: "14.75"}`
 * where a column is `totalMinor`, a number or a text. Instants are written in one way, and lists lose their connection.
 */
export function normalise(value: unknown, field = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => normalise(item));
  if (isObject(value)) {
    const { amount, nodes } = value;
    if (Object.keys(value).length === 1 && typeof amount === 'string' && AMOUNT.test(amount)) return inMinor(amount);
    if (Object.keys(value).length === 1 && nodes !== undefined) return normalise(nodes);
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name.replace(/Minor$/, ''), normalise(inner, name)]),
    );
  }
  if (field.endsWith('Minor')) return String(value);
  return field.endsWith('At') && typeof value === 'string' ? new Date(value).toISOString() : value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Of a currency with two digits, which every order here has. */
function inMinor(amount: string): string {
  return BigInt(amount.replace('.', '')).toString();
}
