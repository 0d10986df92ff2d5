const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * How long the system waits for what, in milliseconds. They are part of the configuration, so that the fault matrix can
 * play days of retries in seconds; nobody else changes them.
 */
export interface Waits {
  /** A process may work on a provider operation this long before others take it over. */
  readonly operationLeaseMs: number;
  /** From the first sending on, the provider surely remembers an idempotency key this long. */
  readonly replayWindowMs: number;
  /** An invoice of an unknown outcome is looked for among those created since its claim, and this much earlier. */
  readonly lookUpMarginMs: number;
  /** The wait after a first look-up that told nothing; it doubles with each further one. */
  readonly lookUpBackOffMs: number;
  readonly lookUpBackOffMaxMs: number;
  /** After an outcome became unknown the background tries to settle it; this doubles with each further sending. */
  readonly resumeMs: number;
  readonly resumeMaxMs: number;
  /** An item of a bulk that cannot be carried out is tried again for this long, then it has failed. */
  readonly bulkPatienceMs: number;
  /** An e-mail that seems not to have gone out is repeated, once, this long after its first sending. */
  readonly emailRepeatMs: number;
  /** How far QuickBooks' clock may be behind ours. */
  readonly clockDifferenceMs: number;
  /** The wait before a recording is repeated after the database was lost; it doubles with each further repetition. */
  readonly recordingRetryMs: number;
  /** How long one request waits for another that is creating the same customer. */
  readonly customerWaitMs: number;
  /** After that time an event about an invoice whose creation is not recorded yet is looked at again. */
  readonly eventUntilRecordedMs: number;
  /** Events of a company that a person must reconnect are looked at again at this pace. */
  readonly eventUntilReconnectedMs: number;
  /** The wait after an event's first failure; it doubles with each further one. */
  readonly eventBackOffMs: number;
  readonly eventBackOffMaxMs: number;
  /** Clients may repeat a request under its idempotency key for this time. */
  readonly idempotencyKeptMs: number;
  /** Events that are done or ignored are deleted after this time. */
  readonly finishedEventsKeptMs: number;
  /** Between two looks at what changed, for one reader of live changes. */
  readonly changesApartMs: number;
  /** How often it is asked whether the callers of open streams still have the keys and roles that they came with. */
  readonly callersCheckedMs: number;
  /** That something changed is forgotten after this time. */
  readonly changesKeptMs: number;
  /** After that time a new connection is swept for the first time. */
  readonly firstSweepMs: number;
  /** Between the sweeps of a company whose webhooks come in. */
  readonly sweepMs: number;
  /** Between the sweeps of a company whose webhooks are missing, and after a failed one. */
  readonly anxiousSweepMs: number;
  /** Between the sweeps of a Stripe connection. */
  readonly stripeSweepMs: number;
  /** A sweep asks for changes from that long before the end of the last one. */
  readonly sweepOverlapMs: number;
  /** A change that is older than this and still not recorded is one that no webhook told. */
  readonly webhookDelayMs: number;
  /** Providers are asked what happened about no longer a time than this. */
  readonly changeDataReachMs: number;
  /** So long after an invoice changed its payments may still be shown as they were before. */
  readonly paymentLagMs: number;
  /** A paid invoice of which nothing was heard for this time is not looked at any more when invoices are compared. */
  readonly settledAfterMs: number;
  /** One request to the API of QuickBooks may take this long. */
  readonly callTimeoutMs: number;
  /** A GraphQL request starts no call to QuickBooks after this time and gives up reading. */
  readonly graphqlDeadlineMs: number;
  /** The same for one call of a background job. */
  readonly backgroundDeadlineMs: number;
  /** Between two calls of one company, all processes together. Two may follow each other at once. */
  readonly callSpacingMs: number;
  /** The same for batch calls, which count as calls, too. */
  readonly batchSpacingMs: number;
  /** A call that finds no room waits this long for some. */
  readonly throttleWaitMs: number;
  /** A company that answered 429 is left alone this long, unless it says otherwise. */
  readonly pauseMs: number;
  /** The same when it happens again after a pause, and again. */
  readonly longPauseMs: number;
  readonly longestPauseMs: number;
  /** Around this time, and more later, before a safe call is repeated that got no answer. */
  readonly retryDelayMs: number;
  readonly retryDelayMaxMs: number;
  /** A company that keeps failing is left alone this long by the process that noticed. */
  readonly breakerOpenMs: number;
  /** Access tokens are renewed this long before their end. */
  readonly accessTokenEarlyMs: number;
  /** QuickBooks' refusal of an access token that is younger than this is no reason to refresh it. */
  readonly newTokenMs: number;
  /** One request to the token endpoint may take this long. */
  readonly tokenTimeoutMs: number;
  /** Before a token request whose answer was lost is repeated, and between a refresh that failed and anybody's next. */
  readonly tokenRetryMs: number;
  /** Others take a refresh over when it took this long. */
  readonly tokenLeaseMs: number;
  /** How often, and how long at most, a caller looks whether somebody else's refresh is finished. */
  readonly tokenPollMs: number;
  readonly tokenMaxWaitMs: number;
  /** After a change the previous refresh token may be tried for this time. */
  readonly previousRefreshTokenMs: number;
  /** Counted calls are written to the database this long after the first of them. */
  readonly usageFlushMs: number;
}

export const standardWaits: Waits = {
  // The slowest sending begins just before its deadline in the background (120 s) and takes as long as it may (30 s),
  // and a margin. Preparing may take longer: then two processes prepare, and the first to begin is the one that sends.
  operationLeaseMs: 180 * SECOND,
  // Intuit does not say how long it remembers; nobody has seen it forget within minutes.
  replayWindowMs: 15 * MINUTE,
  // As far as clocks of servers were ever seen to differ, and more.
  lookUpMarginMs: 5 * MINUTE,
  // An outage mostly ends within minutes; one of a day costs some thirty look-ups.
  lookUpBackOffMs: 30 * SECOND,
  lookUpBackOffMaxMs: HOUR,
  // A lost answer is known a few seconds later; then once a minute, as the periodic job does anyway.
  resumeMs: 5 * SECOND,
  resumeMaxMs: MINUTE,
  // Whoever asked for it looks what came of it on the next day at the latest.
  bulkPatienceMs: DAY,
  // QuickBooks hands e-mails over within a minute or two. One that comes twice is worse than one that comes late.
  emailRepeatMs: 10 * MINUTE,
  clockDifferenceMs: MINUTE,
  // Five attempts span 3 s: a restart of PostgreSQL or a failover of its proxy.
  recordingRetryMs: 200,
  // It needs two requests; a little more than that.
  customerWaitMs: 10 * SECOND,
  eventUntilRecordedMs: 3 * SECOND,
  eventUntilReconnectedMs: 5 * MINUTE,
  // Twenty attempts are spread over 19 hours.
  eventBackOffMs: 5 * SECOND,
  eventBackOffMaxMs: 2 * HOUR,
  idempotencyKeptMs: 3 * DAY,
  // A repeated delivery is recognised by the stored row. Intuit repeats every six hours for days, and whoever asks why a
  // payment was booked asks within a quarter.
  finishedEventsKeptMs: 90 * DAY,
  // Nobody sees the difference, and what a provider's event changes in several transactions is told at once.
  changesApartMs: 100,
  // One statement. What is sent meanwhile is checked by itself, so nothing but an idle connection is held so long.
  callersCheckedMs: 30 * SECOND,
  // A client may be away for a week; a day more, because a change is dated before it is committed.
  changesKeptMs: 8 * DAY,
  firstSweepMs: MINUTE,
  // Intuit recommends one a day beside working webhooks.
  sweepMs: DAY,
  // Reads are charged for; a payment that waits a quarter of an hour hurts nobody.
  anxiousSweepMs: 15 * MINUTE,
  // A sweep is one call as a rule, and calls cost nothing; a payment that waits a quarter of an hour hurts nobody.
  stripeSweepMs: 15 * MINUTE,
  // An object's time of change is rounded and may be stamped before it can be seen; seconds, though nobody says how many.
  sweepOverlapMs: 5 * MINUTE,
  // They usually take seconds; Intuit's first repetitions of one that failed are over within a minute.
  webhookDelayMs: 5 * MINUTE,
  // Intuit and Stripe keep 30 days. One less, because it is measured with two clocks.
  changeDataReachMs: 29 * DAY,
  // QuickBooks mostly shows them within seconds. Five repetitions of an event fall into this time.
  paymentLagMs: 2 * MINUTE,
  // Cheques bounce within weeks, and cards can be charged back for 120 days.
  settledAfterMs: 120 * DAY,
  // Intuit asks clients to wait at least 30 s.
  callTimeoutMs: 30 * SECOND,
  // A write that begins just before it is answered after 80 s; Intuit, and many a proxy, cut after 120 s.
  graphqlDeadlineMs: 50 * SECOND,
  // Longer than the longest wait for new tokens.
  backgroundDeadlineMs: 120 * SECOND,
  // Intuit allows 10 calls a second and 500 a minute. Two at once and then 7 a second make at most 9 in any second and
  // 430 in any minute: one spacing keeps both limits, with room for calls that are held up on their way.
  callSpacingMs: 140,
  // 40 a minute: two at once and 38 more.
  batchSpacingMs: 1_579,
  // Seventy calls are waiting then; who comes later is better told at once.
  throttleWaitMs: 10 * SECOND,
  // What Intuit asks for after a 429.
  pauseMs: 60 * SECOND,
  // A burst is over after a minute or two; a monthly quota is not, and asking once an hour notices when it is raised.
  longPauseMs: 15 * MINUTE,
  longestPauseMs: HOUR,
  retryDelayMs: 500,
  retryDelayMaxMs: 4 * SECOND,
  breakerOpenMs: 30 * SECOND,
  // No token may run out between being chosen and being read by QuickBooks.
  accessTokenEarlyMs: 5 * MINUTE,
  // While QuickBooks refuses valid tokens, they are refreshed a dozen times an hour. A revoked one is noticed that late.
  newTokenMs: 5 * MINUTE,
  // A refresh takes under a second as a rule.
  tokenTimeoutMs: 10 * SECOND,
  // Intuit may take two refreshes at the same moment for theft; by now the first one is done with.
  tokenRetryMs: 2 * SECOND,
  // The slowest refresh is lost (10 s), repeated (2 + 10 s), refused, tried with the previous token, lost (10 s) and
  // repeated (2 + 10 s): 44 s, and a margin.
  tokenLeaseMs: 50 * SECOND,
  tokenPollMs: 100,
  // A lease of a refresher that died and a refresh of our own.
  tokenMaxWaitMs: 100 * SECOND,
  // Intuit's rule.
  previousRefreshTokenMs: DAY,
  usageFlushMs: 5 * SECOND,
};
