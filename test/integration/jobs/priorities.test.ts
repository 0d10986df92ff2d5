import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { GraphileJobQueue } from '../../../src/infrastructure/jobs/job-queue.js';
import { startWorkbench, type Workbench } from '../../support/workbench.js';

let bench: Workbench;
let jobs: GraphileJobQueue;

beforeAll(async () => {
  bench = await startWorkbench();
  jobs = await GraphileJobQueue.connect(bench.environment.DATABASE_URL ?? '', pino({ level: 'silent' }), bench.clock);
});

afterAll(async () => {
  await jobs.stop();
  await bench.stop();
});

test('A worker that is free takes events and single operations before the turn of a bulk that waited longer', async () => {
  const runAt = new Date(Date.now() - 1_000);
  await jobs.wakeBulkInvoicingAt('bulk_1', new Date(runAt.getTime() - 60_000));
  await jobs.wakeWebhookWorkerAt({ provider: 'QBO', companyId: '1' }, runAt, 'QBO:1');
  await jobs.addSweep({ provider: 'QBO', connectionId: 'qbo_1', companyId: '1' }, runAt);
  // As graphile-worker takes them.
  const waiting = await bench.sql('select task_identifier from graphile_worker.jobs order by priority, run_at, id');
  expect(waiting.map(({ task_identifier }) => task_identifier)).toEqual([
    'process_qbo_events',
    'sweep_qbo_connection',
    'work_off_bulk_invoicing',
  ]);
});
