import type { ComplexityEstimatorArgs } from 'graphql-query-complexity/cjs';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, type PageRequest } from '../../application/queries/page.js';

/** A page of a list: as many times its items as are asked for. A size that is refused later must not lower other costs. */
export function pageComplexity({ args, childComplexity }: ComplexityEstimatorArgs): number {
  const { first, last }: PageRequest = args;
  const size = first ?? last ?? DEFAULT_PAGE_SIZE;
  return 1 + Math.min(Math.max(size, 0), MAX_PAGE_SIZE) * childComplexity;
}

/** A guess: most plain lists are shorter, though an order may have 750 lines, and the history of an invoice 100 events. */
const USUAL_DETAILS = 10;

/** A plain list of what belongs to one object, of which no argument says how many. */
export function detailsComplexity({ childComplexity }: ComplexityEstimatorArgs): number {
  return 1 + USUAL_DETAILS * childComplexity;
}
