import { Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { queueLogger } from '../../../src/infrastructure/jobs/queue-logger.js';

describe('what the job queue says', () => {
  function linesOf(level: string): string[] {
    const lines: string[] = [];
    const destination = new Writable({
      write: (chunk, _encoding, done) => {
        const { level: written, part, msg } = JSON.parse(String(chunk));
        lines.push(`${written} ${part} ${msg}`);
        done();
      },
    });
    const logger = queueLogger(pino({ level }, destination)).scope({ label: 'worker' });
    logger.error('the job failed');
    logger.warn('the job is late');
    logger.info('the job is done');
    logger.debug('the job was found');
    return lines;
  }

  test('is a warning when something failed, and else only for debugging', () => {
    expect(linesOf('debug')).toEqual([
      '40 worker job queue: the job failed',
      '40 worker job queue: the job is late',
      '20 worker job queue: the job is done',
      '20 worker job queue: the job was found',
    ]);
    expect(linesOf('info')).toHaveLength(2);
    expect(linesOf('silent')).toEqual([]);
  });
});
