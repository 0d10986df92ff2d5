import { nameOf, type Point, type Profile, pointsOf, type Strike } from './points.js';
import type { Result } from './results.js';
import { plannedStrikes } from './story.js';
import { hitsByPoint } from './summary.js';

export interface Wanted {
  /** How often each point is to be struck. */
  readonly least: number;
  readonly profile: Profile;
  /** What was told until now. */
  readonly told: () => readonly Result[];
}

/**
 * Untold seeds from `first` on whose stories mean to strike where too little was struck until now; the others are passed
 * over. Which seeds that are says nothing of how their stories end. Ends when every point was struck often enough.
 */
export function* seedsThatStrike(first: number, { least, profile, told }: Wanted): Generator<number> {
  const points = pointsOf(profile).map(nameOfPoint);
  const isTold = new Set(told().map(({ seed }) => seed));
  for (let seed = first; ; seed++) {
    const hits = hitsByPoint(told());
    const lacking = new Set(points.filter((name) => (hits.get(name) ?? 0) < least));
    if (lacking.size === 0) return;
    const isWanted = () => plannedStrikes(seed, profile).some((strike) => lacking.has(nameOfPoint(strike)));
    while (isTold.has(seed) || !isWanted()) seed++;
    yield seed;
  }
}

/** Without how it was struck. */
function nameOfPoint(point: Point | Strike): string {
  return nameOf({ ...point, action: 'crash' });
}
