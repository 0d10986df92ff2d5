import { z } from 'zod';
import { readState } from '../common/state-saver.js';
import { accountSettingsSchema } from './account-settings.js';
import { type Account, newBooks } from './books/model.js';

export interface SavedState {
  readonly version: 1;
  readonly aheadMs: number;
  readonly accounts: Map<string, Account>;
}

const savedState = z.object({
  version: z.literal(1),
  provider: z.literal('stripe'),
  aheadMs: z.number(),
  accounts: z.instanceof(Map),
});

/** Undefined when there is no file yet. A file of another version is refused: it would be misread. */
export async function loadState(path: string): Promise<SavedState | undefined> {
  const text = await readState(path);
  if (text === undefined) return undefined;
  const state: unknown = JSON.parse(text, revive);
  if (!savedState.safeParse(state).success) throw new Error(`${path} does not hold books of this simulator`);
  const saved = state as SavedState;
  return { ...saved, accounts: new Map([...saved.accounts].map(([id, account]) => [id, completed(account)])) };
}

/** What an older version did not write down yet gets its default. */
function completed({ settings, seed, books, aheadMs }: Account): Account {
  return {
    settings: accountSettingsSchema.parse(settings),
    seed: accountSettingsSchema.parse(seed),
    books: { ...newBooks(), ...books },
    aheadMs,
  };
}

/** The text of the file. */
export function serialize(state: SavedState): string {
  return JSON.stringify({ provider: 'stripe', ...state }, (_key, value: unknown) =>
    value instanceof Map ? { $map: [...value] } : value,
  );
}

function revive(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('$map' in value)) return value;
  return new Map(value.$map as [unknown, unknown][]);
}
