import { standardWaits, type Waits } from '../../../src/application/waits.js';

/** How much faster time passes for what waits in the processes under test. */
export const SPEED = 240;

/** Days of leases, windows and back-offs in seconds. What is compared with other machines' clocks stays as it is. */
export const shortWaits: Waits = {
  ...standardWaits,
  operationLeaseMs: 3_000,
  replayWindowMs: standardWaits.replayWindowMs / SPEED,
  lookUpBackOffMs: 300,
  lookUpBackOffMaxMs: 1_000,
  resumeMs: 200,
  resumeMaxMs: 500,
  emailRepeatMs: standardWaits.emailRepeatMs / SPEED,
  customerWaitMs: 3_000,
  eventUntilRecordedMs: 300,
  eventUntilReconnectedMs: 500,
  eventBackOffMs: 200,
  eventBackOffMaxMs: 1_000,
};
