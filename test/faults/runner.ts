import { installGates, skipPauses } from './interception.js';
import { loadProfiles } from './profile.js';
import { type Provider, repertoires } from './providers.js';
import type { Tier } from './results.js';
import { type Report, tellStory } from './story.js';
import type { System } from './system.js';

/** What the parent process asks for and is told. */
export interface Order {
  readonly provider: Provider;
  readonly seed: number;
}

export type Reply = Report | { readonly seed: number; readonly error: string };

/** Databases and books get slower with every story that they keep. */
const STORIES_PER_SYSTEM = 150;

interface StoppableSystem extends System {
  stop(): Promise<void>;
}

async function startSystem(tier: Tier, isNaive: boolean): Promise<StoppableSystem> {
  if (tier === 'real') {
    const { RealSystem } = await import('./real/real-system.js');
    return RealSystem.start(String(process.env.FAULTS_PROGRAM));
  }
  const { FastSystem } = await import('./fast/fast-system.js');
  const { useCases } = await import('./fast/use-cases.js');
  const { naiveUseCases } = await import('./naive.js');
  return FastSystem.start(isNaive ? naiveUseCases(useCases) : useCases);
}

/** A process that tells the stories it is asked for, one after the other. */
async function main(): Promise<void> {
  const [tier = 'fast', isNaive] = process.argv.slice(2);
  // Once: gates within gates would count everything twice.
  if (tier === 'fast') installGates();
  if (tier === 'fast') skipPauses();
  const profiles = await loadProfiles();
  let system: StoppableSystem | undefined;
  let told = 0;
  const tell = async ({ provider, seed }: Order): Promise<Reply> => {
    try {
      if (told % STORIES_PER_SYSTEM === 0) {
        await system?.stop();
        system = await startSystem(tier === 'real' ? 'real' : 'fast', isNaive === 'naive');
      }
      told += 1;
      return await tellStory(system as System, repertoires[provider], seed, profiles[provider]);
    } catch (error) {
      return { seed, error: error instanceof Error ? String(error.stack) : String(error) };
    }
  };
  let last: Promise<unknown> = Promise.resolve();
  process.on('message', (order: Order | 'stop') => {
    last = last.then(async () => {
      if (order !== 'stop') return process.send?.(await tell(order));
      await system?.stop();
      process.exit(0);
    });
  });
  process.on('disconnect', () => process.exit(1));
  process.send?.('ready');
}

await main();
