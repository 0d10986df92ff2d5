import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Company } from './books/model.js';
import { newBooks } from './books/seed.js';
import { companySettingsSchema } from './company-settings.js';
import { Decimal } from './decimal.js';
import type { OAuthState } from './oauth/oauth-state.js';

/** Long enough to join the changes of one burst, short enough that little is lost in a crash. */
const SAVE_DELAY_MS = 250;
/** Large books take longer to write down: at most a tenth of the time goes into that. */
const REST_PER_EFFORT = 10;

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
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
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

/** Saves a little after changes, and never leaves half a file: it writes another one and renames it. */
export class StateSaver {
  private timer: NodeJS.Timeout | undefined;
  private saving: Promise<void> = Promise.resolve();
  private delayMs = SAVE_DELAY_MS;

  constructor(
    private readonly path: string | undefined,
    private readonly current: () => SavedState,
  ) {}

  schedule(): void {
    if (this.path === undefined || this.timer !== undefined) return;
    // A failed write is tried again with the next one; the last, in `close`, reports its failure.
    this.timer = setTimeout(() => this.save().catch(() => this.schedule()), this.delayMs);
  }

  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.save();
  }

  private save(): Promise<void> {
    this.timer = undefined;
    const { path } = this;
    if (path === undefined) return Promise.resolve();
    const before = this.saving.catch(() => undefined);
    this.saving = before.then(async () => {
      const begun = performance.now();
      const text = serialize(this.current());
      this.delayMs = Math.max(SAVE_DELAY_MS, REST_PER_EFFORT * (performance.now() - begun));
      await writeFile(`${path}.tmp`, text);
      await rename(`${path}.tmp`, path);
    });
    return this.saving;
  }
}

function serialize(state: SavedState): string {
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
