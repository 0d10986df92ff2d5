import { setTimeout as delay } from 'node:timers/promises';
import type { Deadline } from '../../application/deadline.js';
import type { CompanyTokens, TokenClaim } from '../../application/ports/accounting.js';
import type { ProviderFailure, ProviderTrace } from '../../application/ports/provider.js';
import { openIfPossible, type SecretBox } from '../../application/ports/secrets.js';
import type { Waits } from '../../application/waits.js';
import type { Clock } from '../../domain/clock.js';
import type { QboCallObserver } from './call-observer.js';
import type { EndpointResolver, ReachableCompany } from './endpoints.js';
import {
  type IssuedTokens,
  type RefreshAnswer,
  type RefreshRequest,
  type RefusedRefresh,
  refreshTokens,
} from './token-endpoint.js';
import type { StoredConnection, TokenStore } from './token-store.js';

/** The Intuit app for connections without one of their own. */
export interface IntuitApp {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** An access token and what it opens. */
export interface Authorisation {
  readonly connection: StoredConnection;
  /** In clear: never log or store it. */
  readonly accessToken: string;
  readonly tokenVersion: number;
}

export type AuthorisationResult =
  | { readonly ok: true; readonly value: Authorisation }
  | { readonly ok: false; readonly failure: ProviderFailure };

export interface QboTokensOptions {
  readonly store: TokenStore;
  readonly secrets: SecretBox;
  readonly clock: Clock;
  readonly endpoints: EndpointResolver;
  readonly defaultApp: IntuitApp | undefined;
  readonly waits: Waits;
  readonly onCall?: QboCallObserver | undefined;
}

/** What Intuit said to one of the refresh tokens of a connection. */
interface Refresh {
  readonly answer: RefreshAnswer;
  /** What was sent, in clear. */
  readonly sent: string;
  /** Before the request: counted from the answer, tokens would seem to live longer than they do. */
  readonly askedAt: Date;
}

export interface GivenTokens {
  /** Undefined: the company has no connection yet. */
  readonly connectionId: string | undefined;
  readonly company: ReachableCompany;
  readonly app: IntuitApp;
  readonly refreshToken: string;
  /** The one that was refused. */
  readonly accessToken: string;
}

export type RenewedTokens =
  | {
      readonly kind: 'renewed';
      readonly tokens: CompanyTokens;
      /** False: they were stored already. */
      readonly isNew: boolean;
      /** To store them by; undefined: they are stored, or there is no connection yet. */
      readonly claim: TokenClaim | undefined;
    }
  | { readonly kind: 'refused'; readonly answer: RefusedRefresh };

/** Hands out access tokens, and sees to it that of all callers in all processes one at a time refreshes them. */
export class QboTokens {
  readonly #options: QboTokensOptions;
  /** Callers of this process who need the same new tokens share one wait, instead of all polling the database. */
  readonly #renewals = new Map<string, Promise<AuthorisationResult>>();
  /** Requests to Intuit whose answers are to be stored, even if nobody waits for them any more. */
  readonly #refreshes = new Set<Promise<unknown>>();

  constructor(options: QboTokensOptions) {
    this.#options = options;
  }

  /** The stored token when it has some life left, else a new one. Throws when there is no such connection. */
  async current(connectionId: string): Promise<AuthorisationResult> {
    const stored = await this.#load(connectionId);
    if (stored.reconnectRequired) return reconnectRequired();
    if (this.#isFresh(stored)) return this.#authorise(stored);
    return this.renew(connectionId, stored.tokenVersion);
  }

  /** Tokens of another version than the given one, which QuickBooks refused or which is about to expire. */
  renew(connectionId: string, staleVersion: number): Promise<AuthorisationResult> {
    const key = `${connectionId} ${staleVersion}`;
    const running = this.#renewals.get(key);
    if (running) return running;
    const renewal = this.#renew(connectionId, staleVersion).finally(() => this.#renewals.delete(key));
    this.#renewals.set(key, renewal);
    return renewal;
  }

  /** QuickBooks says that these tokens open the company no more: from now on nobody uses them. */
  async end({ connection, tokenVersion }: Authorisation, failure: ProviderFailure): Promise<ProviderFailure> {
    const isEnded = await this.#options.store.requireReconnectOf(connection.id, tokenVersion);
    if (isEnded) return failure;
    const message = `The company got other tokens meanwhile, or is about to, for which this may not hold: ${failure.message}`;
    return { kind: 'unavailable', message, trace: failure.trace };
  }

  /**
   * Other tokens than those that a person gave, which QuickBooks refused. When their company has a connection, they are
   * refreshed by its only refresher. What comes of the connection's own chain is stored before it is used, as always; of
   * another chain it is left to the caller, with the claim, because nothing proves yet that it opens this company.
   * Undefined: another refresher did not finish in time.
   */
  async renewGiven(given: GivenTokens, deadline: Deadline): Promise<RenewedTokens | undefined> {
    const { connectionId, company, app, refreshToken } = given;
    if (connectionId === undefined) return toRenewed(await this.#send(company, app, refreshToken));
    const claimed = await this.#claimReplacement(connectionId, deadline);
    if (!claimed) return undefined;
    const { stored, claim } = claimed;
    const latest = await this.#latestOf(stored, refreshToken);
    if (latest !== undefined) return this.#renewOwn(stored, latest, claim, given);
    const renewed = toRenewed(await this.#send(company, app, refreshToken), claim);
    if (renewed.kind === 'refused') await this.release(claim);
    return renewed;
  }

  /** Gives up the right to replace a connection's tokens; nobody asks Intuit for some in the moment after that. */
  release(claim: TokenClaim): Promise<void> {
    return this.#options.store.releaseRefresh(claim);
  }

  /** Resolves when the refreshes that have begun are over. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#refreshes);
  }

  async #renewOwn(
    stored: StoredConnection,
    refreshToken: string,
    claim: TokenClaim,
    given: GivenTokens,
  ): Promise<RenewedTokens> {
    const accessToken = await this.#open(stored.accessToken);
    if (accessToken !== undefined && accessToken !== given.accessToken && this.#isFresh(stored)) {
      await this.release(claim);
      const { accessTokenExpiresAt } = stored;
      const ends = { accessTokenExpiresAt, refreshTokenExpiresAt: undefined, refreshTokenHardExpiresAt: undefined };
      return { kind: 'renewed', tokens: { accessToken, refreshToken, ...ends }, isNew: false, claim: undefined };
    }
    const refresh = await this.#askIntuit(stored, given.app, refreshToken);
    if (refresh.answer.kind === 'issued') await this.#record(stored, claim, refresh, refresh.answer.tokens);
    else await this.release(claim);
    return toRenewed(refresh);
  }

  #isFresh({ accessTokenExpiresAt }: StoredConnection): boolean {
    const { clock, waits } = this.#options;
    return accessTokenExpiresAt.getTime() - waits.accessTokenEarlyMs > clock.now().getTime();
  }

  async #claimReplacement(connectionId: string, deadline: Deadline) {
    const { store, waits } = this.#options;
    while (!deadline.hasPassed) {
      const stored = await this.#load(connectionId);
      const claim = await store.claimReplacement(connectionId, stored.tokenVersion);
      if (claim) return { stored, claim };
      await delay(waits.tokenPollMs);
    }
    return undefined;
  }

  /** The stored refresh token, if the given one is of its chain. What cannot be opened is certainly to be replaced. */
  async #latestOf(stored: StoredConnection, given: string): Promise<string | undefined> {
    const latest = await this.#open(stored.refreshToken);
    const previous = await this.#open(stored.previousRefreshToken);
    return given === latest || given === previous ? latest : undefined;
  }

  async #renew(connectionId: string, staleVersion: number): Promise<AuthorisationResult> {
    const { store, clock, waits } = this.#options;
    const waitUntil = performance.now() + waits.tokenMaxWaitMs;
    for (;;) {
      const stored = await this.#load(connectionId);
      if (stored.reconnectRequired) return reconnectRequired();
      if (stored.tokenVersion !== staleVersion) return this.#authorise(stored);
      const app = await this.#appOf(stored);
      const refreshToken = await this.#open(stored.refreshToken);
      if (!app) return wrongClient({});
      if (refreshToken === undefined) return unreadable();
      const claim = await store.claimRefresh(connectionId, staleVersion);
      const result = claim && (await this.#finishing(this.#refresh(stored, claim, app, refreshToken)));
      if (result && result !== 'fenced_off') return result;
      if (performance.now() > waitUntil) {
        const retryAt = new Date(clock.now().getTime() + waits.tokenRetryMs);
        return unavailable('somebody else is refreshing the tokens and does not finish', {}, retryAt);
      }
      await delay(waits.tokenPollMs);
    }
  }

  #finishing<T>(refresh: Promise<T>): Promise<T> {
    this.#refreshes.add(refresh);
    return refresh.finally(() => this.#refreshes.delete(refresh));
  }

  /** `fenced_off`: while Intuit was being asked somebody took over. What was received is discarded. */
  async #refresh(
    stored: StoredConnection,
    claim: TokenClaim,
    app: IntuitApp,
    refreshToken: string,
  ): Promise<AuthorisationResult | 'fenced_off'> {
    const { store } = this.#options;
    const refresh = await this.#askIntuit(stored, app, refreshToken);
    const { answer } = refresh;
    if (answer.kind === 'issued') return this.#record(stored, claim, refresh, answer.tokens);
    if (answer.kind === 'dead') {
      return (await store.requireReconnect(claim)) ? reconnectRequired(answer.trace) : 'fenced_off';
    }
    await store.releaseRefresh(claim);
    return describe(answer);
  }

  /**
   * Asks with the stored refresh token. When Intuit does not know it and nobody replaced it meanwhile, with the one
   * before, which Intuit honours for a day: there is nothing to lose any more.
   */
  async #askIntuit(stored: StoredConnection, app: IntuitApp, refreshToken: string): Promise<Refresh> {
    const latest = await this.#send(stored, app, refreshToken);
    if (latest.answer.kind !== 'dead') return latest;
    const previous = await this.#open(stored.previousRefreshToken);
    if (previous === undefined) return latest;
    const now = await this.#load(stored.id);
    return now.tokenVersion === stored.tokenVersion ? this.#send(stored, app, previous) : latest;
  }

  /** Asks once more when the answer was lost: Intuit keeps the value that was sent valid for a day after its change. */
  async #send(company: ReachableCompany, app: IntuitApp, refreshToken: string): Promise<Refresh> {
    const { endpoints, waits } = this.#options;
    const { tokenUrl } = endpoints(company);
    const request: RefreshRequest = { tokenUrl, ...app, refreshToken };
    const first = await this.#post(request);
    if (first.answer.kind !== 'lost') return first;
    await delay(waits.tokenRetryMs);
    return this.#post(request);
  }

  async #post(request: RefreshRequest): Promise<Refresh> {
    const { clock, waits, onCall } = this.#options;
    const askedAt = clock.now();
    const answer = await refreshTokens(request, { timeoutMs: waits.tokenTimeoutMs, onCall });
    return { answer, sent: request.refreshToken, askedAt };
  }

  /** Stored before it is used: a token that only this process knew would be lost with it. */
  async #record(
    stored: StoredConnection,
    claim: TokenClaim,
    { sent, askedAt }: Refresh,
    tokens: IssuedTokens,
  ): Promise<AuthorisationResult | 'fenced_off'> {
    const { store, secrets } = this.#options;
    const { accessToken, refreshToken = sent } = tokens;
    const recorded = await store.recordTokens(claim, {
      accessToken: await secrets.seal(accessToken),
      refreshToken: await secrets.seal(refreshToken),
      replacedRefreshToken: refreshToken === sent ? undefined : await secrets.seal(sent),
      ...endsOf(tokens, askedAt),
    });
    if (!recorded) return 'fenced_off';
    const connection = { ...stored, isAccessTokenNew: true };
    return { ok: true, value: { connection, accessToken, tokenVersion: stored.tokenVersion + 1 } };
  }

  async #appOf({ app }: StoredConnection): Promise<IntuitApp | undefined> {
    if (!app) return this.#options.defaultApp;
    const clientSecret = await this.#open(app.clientSecret);
    return clientSecret === undefined ? undefined : { clientId: app.clientId, clientSecret };
  }

  async #authorise(stored: StoredConnection): Promise<AuthorisationResult> {
    const accessToken = await this.#open(stored.accessToken);
    if (accessToken === undefined) return unreadable();
    return { ok: true, value: { connection: stored, accessToken, tokenVersion: stored.tokenVersion } };
  }

  /** Undefined: there is none, or none that can be opened. */
  async #open(sealed: string | undefined): Promise<string | undefined> {
    return sealed === undefined ? undefined : openIfPossible(this.#options.secrets, sealed);
  }

  async #load(connectionId: string): Promise<StoredConnection> {
    const stored = await this.#options.store.load(connectionId);
    if (!stored) throw new Error(`There is no QuickBooks connection ${connectionId}.`);
    return stored;
  }
}

function toRenewed({ answer, sent, askedAt }: Refresh, claim?: TokenClaim): RenewedTokens {
  if (answer.kind !== 'issued') return { kind: 'refused', answer };
  const { accessToken, refreshToken = sent } = answer.tokens;
  const tokens = { accessToken, refreshToken, ...endsOf(answer.tokens, askedAt) };
  return { kind: 'renewed', tokens, isNew: true, claim };
}

/** When tokens that were asked for at that time end; undefined where Intuit did not tell. */
function endsOf(tokens: IssuedTokens, askedAt: Date) {
  const endOf = (seconds: number | undefined) => (seconds === undefined ? undefined : secondsAfter(askedAt, seconds));
  return {
    accessTokenExpiresAt: secondsAfter(askedAt, tokens.expiresInSeconds),
    refreshTokenExpiresAt: endOf(tokens.refreshExpiresInSeconds),
    refreshTokenHardExpiresAt: endOf(tokens.refreshHardExpiresInSeconds),
  };
}

export function secondsAfter(instant: Date, seconds: number): Date {
  return new Date(instant.getTime() + seconds * 1000);
}

function describe(answer: Exclude<RefusedRefresh, { kind: 'dead' }>): AuthorisationResult {
  return answer.kind === 'wrong_client' ? wrongClient(answer.trace) : unavailable(answer.reason, answer.trace);
}

function reconnectRequired(trace: ProviderTrace = {}): AuthorisationResult {
  const message = 'Intuit no longer accepts the tokens of this company.';
  return { ok: false, failure: { kind: 'reconnect_required', message, trace } };
}

function unreadable(): AuthorisationResult {
  const message = 'The tokens of this company cannot be opened, because their encryption key is not configured.';
  return { ok: false, failure: { kind: 'reconnect_required', message, trace: {} } };
}

function wrongClient(trace: ProviderTrace): AuthorisationResult {
  const message =
    'Intuit does not accept the client id and client secret, or none are configured that can be opened: check these first.';
  return { ok: false, failure: { kind: 'reconnect_required', message, trace } };
}

function unavailable(reason: string, trace: ProviderTrace, retryAt?: Date): AuthorisationResult {
  const message = `The access token could not be refreshed (${reason}).`;
  return { ok: false, failure: { kind: 'unavailable', message, trace, ...(retryAt && { retryAt }) } };
}
