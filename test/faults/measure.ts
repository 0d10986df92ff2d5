import { FastSystem } from './fast/fast-system.js';
import { useCases } from './fast/use-cases.js';
import { installGates } from './interception.js';
import type { Profile } from './points.js';
import { tellStory } from './story.js';

/**
 * How many statements and calls each use case makes in stories that nothing disturbs. Points beyond what nine of ten runs
 * reach would hardly ever be hit.
 */
export async function measureProfile(stories: number): Promise<Profile> {
  installGates();
  const system = await FastSystem.start(useCases);
  for (let seed = 1; seed <= stories; seed++) await tellStory(system, seed, undefined);
  await system.stop();
  const commonly = (counts: readonly number[]) =>
    counts.toSorted((a, b) => a - b)[Math.floor(counts.length * 0.9)] ?? 0;
  return Object.fromEntries(
    [...system.counted].map(([useCase, counts]) => [
      useCase,
      { sql: commonly(counts.map(({ sql }) => sql)), http: commonly(counts.map(({ http }) => http)) },
    ]),
  );
}
