import { standardWaits, type Waits } from '../../src/application/waits.js';

/**
 * Tests call a simulator on this machine, with faults one after the other: what spaces, delays or pauses calls there
 * would only make them slow. Tests about such waiting set their own.
 */
export const testWaits: Waits = {
  ...standardWaits,
  callSpacingMs: 0,
  batchSpacingMs: 0,
  pauseMs: 0,
  longPauseMs: 0,
  longestPauseMs: 0,
  retryDelayMs: 1,
  retryDelayMaxMs: 5,
  breakerOpenMs: 0,
  tokenRetryMs: 20,
  newTokenMs: 0,
  // At the end only, so that the statements of a use case can be counted.
  usageFlushMs: 600_000,
};
