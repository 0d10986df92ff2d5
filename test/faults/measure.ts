import { FastSystem } from './fast/fast-system.js';
import type { Counts } from './fast/instance.js';
import { useCases } from './fast/use-cases.js';
import type { Profile } from './points.js';
import { type Provider, repertoires } from './providers.js';
import { tellStory } from './story.js';

/**
 * How many statements and calls each use case makes in stories that nothing disturbs. Points beyond what nine of ten runs
 * reach would hardly ever be hit.
 */
export async function measureProfile(provider: Provider, stories: number): Promise<Profile> {
  const system = await FastSystem.start(useCases);
  const tellAll = async (profile: Profile | undefined) => {
    for (let seed = 1; seed <= stories; seed++) await tellStory(system, repertoires[provider], seed, profile);
  };
  try {
    await tellAll(undefined);
    const undisturbed = profileOf(system.counted, 0.9);
    // Without disturbance there is nothing to resume.
    system.counted.clear();
    await tellAll(undisturbed);
    const resuming = (system.counted.get(RESUMING) ?? []).filter(({ sql }) => sql > IDLE_STATEMENTS);
    return { ...undisturbed, ...profileOf(new Map([[RESUMING, resuming]]), 0.5) };
  } finally {
    await system.stop();
  }
}

const RESUMING = 'resumeOperations';
/** It looks, and finds nothing. */
const IDLE_STATEMENTS = 4;

function profileOf(counted: ReadonlyMap<string, readonly Counts[]>, share: number): Profile {
  const reachedBy = (counts: readonly number[]) =>
    counts.toSorted((left, right) => left - right)[Math.floor(counts.length * share)] ?? 0;
  return Object.fromEntries(
    [...counted].map(([useCase, counts]) => [
      useCase,
      { sql: reachedBy(counts.map(({ sql }) => sql)), http: reachedBy(counts.map(({ http }) => http)) },
    ]),
  );
}
