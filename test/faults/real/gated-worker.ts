import { type RunnerOptions, run as runUngated, type Task } from 'graphile-worker';
import { strikable } from './process-gate.js';

// Stands in for `graphile-worker` where the app imports it: each job runs through a gate of its own.

export * from 'graphile-worker';

const USE_CASES: Readonly<Record<string, string>> = {
  process_qbo_events: 'processQboEvents',
  resume_operations: 'resumeOperations',
  work_off_bulk_invoicing: 'workOffBulkInvoicing',
  sweep_qbo_connection: 'sweepQboConnection',
  process_stripe_events: 'processStripeEvents',
  sweep_stripe_connection: 'sweepStripeConnection',
};

export function run(options: RunnerOptions): ReturnType<typeof runUngated> {
  const taskList = Object.fromEntries(
    Object.entries(options.taskList ?? {}).map(([name, task]) => [name, gated(USE_CASES[name] ?? name, task as Task)]),
  );
  return runUngated({ ...options, taskList });
}

function gated(useCase: string, task: Task): Task {
  return (payload, helpers) => strikable(useCase, () => task(payload, helpers));
}
