import { Logger as GraphileLogger } from 'graphile-worker';
import type { Logger } from '../observability/logger.js';

/** Has graphile-worker log through ours: what failed as warnings, its daily business for debugging only. */
export function queueLogger(logger: Logger): GraphileLogger {
  return new GraphileLogger(({ label }) => (level, message) => {
    const isTrouble = level === 'error' || level === 'warning';
    logger[isTrouble ? 'warn' : 'debug']({ part: label }, `job queue: ${message}`);
  });
}
