import { setTimeout as delay } from 'node:timers/promises';
import type { ProviderFailure, ProviderTrace } from '../../application/ports/provider.js';
import type { SecretBox } from '../../application/ports/secrets.js';
import type { Clock } from '../../domain/clock.js';
import type { QboCallObserver } from './call-observer.js';
import type { EndpointResolver } from './endpoints.js';
import { type IssuedTokens, type RefreshAnswer, refreshTokens } from './token-endpoint.js';
import type { RefreshClaim, StoredConnection, TokenStore } from './token-store.js';

/** Refresh this long before the end, so that no token runs out between being chosen and being read by QuickBooks. */
const EARLY_MS = 5 * 60_000;

const POLL_MS = 100;

/** A lease of a refresher that died (20 s) and one refresh of our own (15 s), and a margin. */
const MAX_WAIT_MS = 40_000;

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
  readonly timeoutMs?: number | undefined;
  readonly pollMs?: number | undefined;
  readonly maxWaitMs?: number | undefined;
  readonly onCall?: QboCallObserver | undefined;
}

/** Hands out access tokens, and sees to it that of all callers in all processes one at a time refreshes them. */
export class QboTokens {
  readonly #options: QboTokensOptions;
  /** Callers of this process who need the same new tokens share one wait, instead of all polling the database. */
  readonly #renewals = new Map<string, Promise<AuthorisationResult>>();

  constructor(options: QboTokensOptions) {
    this.#options = options;
  }

  /** The stored token when it has some life left, else a new one. Throws when there is no such connection. */
  async current(connectionId: string): Promise<AuthorisationResult> {
    const stored = await this.#load(connectionId);
    if (stored.reconnectRequired) return reconnectRequired();
    const freshUntil = stored.accessTokenExpiresAt.getTime() - EARLY_MS;
    if (freshUntil > this.#options.clock.now().getTime()) return this.#authorise(stored);
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

  async #renew(connectionId: string, staleVersion: number): Promise<AuthorisationResult> {
    const { store, pollMs = POLL_MS, maxWaitMs = MAX_WAIT_MS } = this.#options;
    const waitUntil = performance.now() + maxWaitMs;
    for (;;) {
      const stored = await this.#load(connectionId);
      if (stored.reconnectRequired) return reconnectRequired();
      if (stored.tokenVersion !== staleVersion) return this.#authorise(stored);
      const claim = await store.claimRefresh(connectionId, staleVersion);
      const result = claim && (await this.#refresh(stored, claim));
      if (result && result !== 'fenced_off') return result;
      if (performance.now() > waitUntil) {
        return unavailable('somebody else is refreshing the tokens and does not finish', {});
      }
      await delay(pollMs);
    }
  }

  /** `fenced_off`: while Intuit was being asked somebody took over. What was received is discarded. */
  async #refresh(stored: StoredConnection, claim: RefreshClaim): Promise<AuthorisationResult | 'fenced_off'> {
    const { store, timeoutMs, onCall } = this.#options;
    const app = await this.#appOf(stored);
    if (!app) {
      await store.releaseRefresh(claim);
      return wrongClient({});
    }
    const { tokenUrl } = this.#options.endpoints(stored);
    // Counted from before the request: counted from the answer, slow ones would seem to live longer than they do.
    const askedAt = this.#options.clock.now();
    const refreshToken = await this.#options.secrets.open(stored.refreshToken);
    const answer = await refreshTokens({ tokenUrl, ...app, refreshToken }, { timeoutMs, onCall });
    if (answer.kind === 'issued') return this.#record(stored, claim, answer.tokens, askedAt);
    if (answer.kind === 'dead') {
      return (await store.requireReconnect(claim)) ? reconnectRequired(answer.trace) : 'fenced_off';
    }
    await store.releaseRefresh(claim);
    return describe(answer);
  }

  /** Stored before it is used: a token that only this process knew would be lost with it. */
  async #record(
    stored: StoredConnection,
    claim: RefreshClaim,
    tokens: IssuedTokens,
    askedAt: Date,
  ): Promise<AuthorisationResult | 'fenced_off'> {
    const { store, secrets } = this.#options;
    const { accessToken, refreshToken, expiresInSeconds, refreshExpiresInSeconds } = tokens;
    const recorded = await store.recordTokens(claim, {
      accessToken: await secrets.seal(accessToken),
      refreshToken: refreshToken === undefined ? undefined : await secrets.seal(refreshToken),
      accessTokenExpiresAt: secondsAfter(askedAt, expiresInSeconds),
      refreshTokenExpiresAt:
        refreshExpiresInSeconds === undefined ? undefined : secondsAfter(askedAt, refreshExpiresInSeconds),
    });
    if (!recorded) return 'fenced_off';
    return { ok: true, value: { connection: stored, accessToken, tokenVersion: stored.tokenVersion + 1 } };
  }

  async #appOf({ app }: StoredConnection): Promise<IntuitApp | undefined> {
    if (!app) return this.#options.defaultApp;
    return { clientId: app.clientId, clientSecret: await this.#options.secrets.open(app.clientSecret) };
  }

  async #authorise(stored: StoredConnection): Promise<AuthorisationResult> {
    const accessToken = await this.#options.secrets.open(stored.accessToken);
    return { ok: true, value: { connection: stored, accessToken, tokenVersion: stored.tokenVersion } };
  }

  async #load(connectionId: string): Promise<StoredConnection> {
    const stored = await this.#options.store.load(connectionId);
    if (!stored) throw new Error(`There is no QuickBooks connection ${connectionId}.`);
    return stored;
  }
}

export function secondsAfter(instant: Date, seconds: number): Date {
  return new Date(instant.getTime() + seconds * 1000);
}

function describe(answer: Exclude<RefreshAnswer, { kind: 'issued' | 'dead' }>): AuthorisationResult {
  return answer.kind === 'wrong_client' ? wrongClient(answer.trace) : unavailable(answer.reason, answer.trace);
}

function reconnectRequired(trace: ProviderTrace = {}): AuthorisationResult {
  const message = 'Intuit no longer accepts the refresh token of this company.';
  return { ok: false, failure: { kind: 'reconnect_required', message, trace } };
}

function wrongClient(trace: ProviderTrace): AuthorisationResult {
  const message = 'Intuit does not accept the client id and client secret, or none are configured: check these first.';
  return { ok: false, failure: { kind: 'reconnect_required', message, trace } };
}

function unavailable(reason: string, trace: ProviderTrace): AuthorisationResult {
  const message = `The access token could not be refreshed (${reason}).`;
  return { ok: false, failure: { kind: 'unavailable', message, trace } };
}
