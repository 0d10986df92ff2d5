import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Profile } from './points.js';

const FILE = new URL('profile.json', import.meta.url);
const profile = z.record(z.string(), z.object({ sql: z.int(), http: z.int() }));

/** As it was measured last (`--measure`). A seed tells the same story only with the same profile. */
export async function loadProfile(): Promise<Profile> {
  return profile.parse(JSON.parse(await readFile(FILE, 'utf8')));
}

export async function saveProfile(measured: Profile): Promise<void> {
  const lines = Object.entries(measured)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([useCase, counts]) => `  ${JSON.stringify(useCase)}: { "sql": ${counts.sql}, "http": ${counts.http} }`);
  await writeFile(FILE, `{\n${lines.join(',\n')}\n}\n`);
}
