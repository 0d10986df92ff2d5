import { z } from 'zod';
import { readState } from '../common/state-saver.js';
import type { Company } from './books/model.js';
import { newBooks } from './books/seed.js';
import { companySettingsSchema } from './company-settings.js';
import { Decimal } from './decimal.js';
import type { OAuthState } from './oauth/oauth-state.js';

export interface SavedState {
  readonly version: 1;
  readonly aheadMs: number;
  readonly companies: Map<string, Company>;
  readonly oauth: OAuthState;
}

const savedState = z.object({
  version: z.literal(1),
  aheadMs: z.number(),
  companies: z.instanceof(Map),
  oauth: z.object({ chains: z.array(z.unknown()), access: z.instanceof(Map), codes: z.instanceof(Map) }),
});

/** Undefined when there is no file yet. A file of another version is refused: it would be misread. */
export async function loadState(path: string): Promise<SavedState | undefined> {
  const text = await readState(path);
  if (text === undefined) return undefined;
  const state: unknown = JSON.parse(text, revive);
  if (!savedState.safeParse(state).success) throw new Error(`${path} does not hold books of this simulator`);
  const saved = state as SavedState;
  return {
    ...saved,
    companies: new Map([...saved.companies].map(([realmId, company]) => [realmId, completed(company)])),
  };
}

/** What an older version did not write down yet gets its default. */
function completed(company: Company): Company {
  const settings = companySettingsSchema.parse(company.settings);
  const seed = companySettingsSchema.parse(company.seed);
  return { ...company, seed, settings, books: { ...newBooks(seed), ...company.books }, aheadMs: company.aheadMs ?? 0 };
}

/** The text of the file. */
export function serialize(state: SavedState): string {
  return JSON.stringify(state, function mark(this: Record<string, unknown>, key, value) {
    // `value` has been through toJSON already; the holder still has the original.
    const original = this[key];
    if (original instanceof Decimal) return { $decimal: `${original}` };
    if (original instanceof Map) return { $map: [...original] };
    return value;
  });
}

function revive(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('$decimal' in value) return Decimal.of(`${value.$decimal}`);
  if ('$map' in value) return new Map(value.$map as [unknown, unknown][]);
  return value;
}
