import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Profile } from './points.js';
import { PROVIDERS, type Provider } from './providers.js';

export type Profiles = Readonly<Record<Provider, Profile>>;

const FILE = new URL('profile.json', import.meta.url);
const profile = z.record(z.string(), z.object({ sql: z.int(), http: z.int() }));
const profiles = z.record(z.enum(PROVIDERS), profile);

/** As they were measured last (`--measure`). A seed tells the same story only with the same profile. */
export async function loadProfiles(): Promise<Profiles> {
  return profiles.parse(JSON.parse(await readFile(FILE, 'utf8')));
}

export async function saveProfiles(measured: Profiles): Promise<void> {
  const blocks = PROVIDERS.map((provider) => `  ${JSON.stringify(provider)}: {\n${linesOf(measured[provider])}\n  }`);
  await writeFile(FILE, `{\n${blocks.join(',\n')}\n}\n`);
}

function linesOf(counted: Profile): string {
  return Object.entries(counted)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([useCase, { sql, http }]) => `    ${JSON.stringify(useCase)}: { "sql": ${sql}, "http": ${http} }`)
    .join(',\n');
}
