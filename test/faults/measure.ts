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
    const undisturbed = profileOf(withoutIdle(system.counted, TURNS), 0.9);
    // Without disturbance there is nothing to resume.
    system.counted.clear();
    await tellAll(undisturbed);
    const resuming = new Map([[RESUMING, system.counted.get(RESUMING) ?? []]]);
    const measured = { ...undisturbed, ...profileOf(withoutIdle(resuming, RESUMING), 0.5) };
    const { onlyUseCases = Object.keys(measured) } = repertoires[provider];
    return Object.fromEntries(Object.entries(measured).filter(([useCase]) => onlyUseCases.includes(useCase)));
  } finally {
    await system.stop();
  }
}

const RESUMING = 'resumeOperations';
const TURNS = 'workOffBulkInvoicing';
/** It looks, and finds nothing. */
const IDLE_STATEMENTS = 4;

function withoutIdle(
  counted: ReadonlyMap<string, readonly Counts[]>,
  idling: string,
): ReadonlyMap<string, readonly Counts[]> {
  const isAtWork = (useCase: string, { sql }: Counts) => useCase !== idling || sql > IDLE_STATEMENTS;
  return new Map([...counted].map(([useCase, counts]) => [useCase, counts.filter((each) => isAtWork(useCase, each))]));
}

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
