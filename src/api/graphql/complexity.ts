import type { ComplexityEstimatorArgs } from 'graphql-query-complexity/cjs';
import { DEFAULT_PAGE_SIZE, type PageRequest } from '../../application/queries/page.js';

/** A page of a list: as many times its items as are asked for. */
export function pageComplexity({ args, childComplexity }: ComplexityEstimatorArgs): number {
  const { first, last }: PageRequest = args;
  return 1 + (first ?? last ?? DEFAULT_PAGE_SIZE) * childComplexity;
}

/** The lines, payments or credit notes of one order: mostly few, whatever page is asked for. */
const USUAL_DETAILS = 10;

export function detailsComplexity({ childComplexity }: ComplexityEstimatorArgs): number {
  return 1 + USUAL_DETAILS * childComplexity;
}
