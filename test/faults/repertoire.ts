import type { Random } from './random.js';
import type { Stage } from './stage.js';
import type { System } from './system.js';

/** What stories about one provider are made of. */
export interface Repertoire {
  /** Sets the stage for a story. */
  raise(system: System, random: Random): Promise<Stage>;
  /** The steps that may come at any place, the heavier the likelier. */
  readonly weights: Readonly<Record<string, number>>;
  /** The steps with which most stories begin, once for each order. */
  readonly invoicing: readonly string[];
  /** Steps that have a use case run, where stories do not get there anyway. */
  readonly stepsThatRun: Readonly<Record<string, readonly string[]>>;
  /** The use case that must be struck before there is anything to resume. */
  readonly resumable: string;
  /** Only these are struck, because other stories strike the rest; undefined: all. */
  readonly onlyUseCases?: readonly string[];
}
