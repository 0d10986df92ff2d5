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
  /** One request to the token endpoint may take this long. */
  readonly tokenTimeoutMs: number;
  /** Before a token request whose answer was lost is repeated. */
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
  // It needs two requests; a little more than that.
  customerWaitMs: 10 * SECOND,
  eventUntilRecordedMs: 3 * SECOND,
  eventUntilReconnectedMs: 5 * MINUTE,
  // Twenty attempts are spread over 19 hours.
  eventBackOffMs: 5 * SECOND,
  eventBackOffMaxMs: 2 * HOUR,
  idempotencyKeptMs: 3 * DAY,
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
  // A refresh takes under a second as a rule.
  tokenTimeoutMs: 10 * SECOND,
  // Intuit may take two refreshes at the same moment for theft; by now the first one is done with.
  tokenRetryMs: 2 * SECOND,
  // The slowest refresh is lost (10 s), repeated (2 + 10 s), refused and tried with the previous token (10 s).
  tokenLeaseMs: 35 * SECOND,
  tokenPollMs: 100,
  // A lease of a refresher that died and a refresh of our own.
  tokenMaxWaitMs: 70 * SECOND,
  // Intuit's rule.
  previousRefreshTokenMs: DAY,
  usageFlushMs: 5 * SECOND,
};
