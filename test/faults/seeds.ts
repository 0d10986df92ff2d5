import { nameOf, type Point, type Profile, pointsOf, type Strike } from './points.js';
import { type Provider, repertoires } from './providers.js';
import type { Result } from './results.js';
import { plannedStrikes } from './story.js';
import { hitsByPoint, nameOfPoint } from './summary.js';

export interface Wanted {
  readonly provider: Provider;
  /** How often each point is to be struck. */
  readonly least: number;
  readonly profile: Profile;
  /** What was told of this provider until now. */
  readonly told: () => readonly Result[];
}

/**
 * Untold seeds from `first` on whose stories mean to strike where too little was struck until now; the others are passed
 * over. Which seeds that are says nothing of how their stories end. Ends when every point was struck often enough.
 */
export function* seedsThatStrike(first: number, { provider, least, profile, told }: Wanted): Generator<number> {
  const nameOfStruck = (point: Point | Strike) => nameOfPoint(provider, nameOf({ action: 'crash', ...point }));
  const points = pointsOf(profile).map(nameOfStruck);
  const isTold = new Set(told().map(({ seed }) => seed));
  for (let seed = first; ; seed++) {
    const hits = hitsByPoint(told());
    const lacking = new Set(points.filter((name) => (hits.get(name) ?? 0) < least));
    if (lacking.size === 0) return;
    const isWanted = () =>
      plannedStrikes(repertoires[provider], seed, profile).some((strike) => lacking.has(nameOfStruck(strike)));
    while (isTold.has(seed) || !isWanted()) seed++;
    yield seed;
  }
}
