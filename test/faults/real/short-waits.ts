import { standardWaits, type Waits } from '../../../src/application/waits.js';

/** How much faster time passes for what waits in the processes under test. */
export const SPEED = 240;

/** Days of leases, windows and back-offs in seconds. What allows for the clocks of other machines stays as it is. */
export const shortWaits: Waits = {
  ...standardWaits,
  callTimeoutMs: 2_000,
  graphqlDeadlineMs: 4_000,
  backgroundDeadlineMs: 4_000,
  operationLeaseMs: 7_000,
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
  firstSweepMs: 1_000,
  sweepMs: 2_000,
  anxiousSweepMs: 1_000,
  stripeSweepMs: 2_000,
  webhookDelayMs: 1_000,
  paymentLagMs: 2_000,
  callSpacingMs: 5,
  batchSpacingMs: 5,
  throttleWaitMs: 3_000,
  pauseMs: 500,
  longPauseMs: 1_000,
  longestPauseMs: 1_500,
  retryDelayMs: 50,
  retryDelayMaxMs: 200,
  breakerOpenMs: 500,
  newTokenMs: 1_000,
  tokenTimeoutMs: 2_000,
  tokenRetryMs: 1_100,
  tokenLeaseMs: 6_000,
  tokenMaxWaitMs: 12_000,
};
