import { randomBytes } from 'node:crypto';
import type { SimulatorClock } from '../clock.js';
import { authenticationFailed, authorizationFailed } from '../faults.js';
import type { Chain, OAuthState } from './oauth-state.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** In practice 101 days, though the documents say 100. */
const REFRESH_LIFE_SECONDS = 8_726_400;
/** The five-year cap on a connection, counted from the day it was made. */
const HARD_LIFE_SECONDS = 157_680_000;
const CODE_LIFE_MS = 10 * 60_000;

export interface OAuthSwitches {
  /** A new refresh value on every refresh instead of about once a day. */
  rotateEveryRefresh: boolean;
  /** A replayed refresh value, or a second refresh within `concurrentWindowMs`, ends the connection. */
  punishConcurrentRefresh: boolean;
  concurrentWindowMs: number;
  /** How long the previous value stays good after a rotation. */
  previousValidSeconds: number;
}

export interface TokenPair {
  readonly realmId: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly accessTokenExpiresAt: number;
  readonly refreshExpiresInSeconds: number;
  readonly hardExpiresInSeconds: number;
}

/** Refused by the token endpoint, with the `error` value of its answer. */
export class GrantRefused extends Error {
  constructor(
    readonly error: string,
    readonly description?: string,
  ) {
    super(description ?? error);
  }
}

export const defaultSwitches: Readonly<OAuthSwitches> = {
  rotateEveryRefresh: false,
  punishConcurrentRefresh: false,
  concurrentWindowMs: 1000,
  previousValidSeconds: 24 * 3600,
};

/** Connections of one app to companies: authorization codes, access tokens and rotating refresh tokens. */
export class OAuthServer {
  readonly switches: OAuthSwitches = { ...defaultSwitches };

  constructor(
    private readonly clock: SimulatorClock,
    private readonly state: OAuthState,
    private readonly accessTokenSeconds: number,
  ) {}

  issueCode(realmId: string, redirectUri: string): string {
    const code = `AB11${randomBytes(24).toString('hex')}`;
    this.state.codes.set(code, { realmId, redirectUri, expiresAt: this.clock.now() + CODE_LIFE_MS });
    return code;
  }

  /** A code works once. A new connection replaces the company's old ones. */
  exchangeCode(code: string, redirectUri: string): TokenPair {
    const grant = this.state.codes.get(code);
    this.state.codes.delete(code);
    if (grant === undefined || grant.redirectUri !== redirectUri || grant.expiresAt <= this.clock.now()) {
      throw new GrantRefused('invalid_grant', 'Token invalid');
    }
    return this.connect(grant.realmId, { replace: true });
  }

  connect(realmId: string, options: { readonly replace: boolean }): TokenPair {
    if (options.replace) this.revokeRealm(realmId);
    const now = this.clock.now();
    const chain: Chain = {
      realmId,
      startedAt: now,
      value: this.newRefreshValue(now),
      issuedAt: now,
      previous: undefined,
      refreshedAt: undefined,
      revoked: false,
    };
    this.state.chains.push(chain);
    return this.issuePair(chain);
  }

  refresh(value: string): TokenPair {
    const now = this.clock.now();
    const chain = this.state.chains.find((each) => each.value === value || each.previous?.value === value);
    if (chain === undefined) throw new GrantRefused('invalid_grant', 'Token invalid');
    if (chain.revoked) throw new GrantRefused('invalid_grant', 'Token has been expired or revoked.');
    this.punishReplay(chain, value, now);
    if (chain.value !== value && (chain.previous?.validUntil ?? 0) <= now) throw new GrantRefused('invalid_grant');
    if (this.secondsLeft(chain, now) <= 0)
      throw new GrantRefused('invalid_grant', 'Token has been expired or revoked.');
    if (this.switches.rotateEveryRefresh || now - chain.issuedAt >= DAY_MS) this.rotate(chain, now);
    chain.refreshedAt = now;
    return this.issuePair(chain);
  }

  private punishReplay(chain: Chain, value: string, now: number): void {
    if (!this.switches.punishConcurrentRefresh) return;
    const tooSoon = chain.refreshedAt !== undefined && now - chain.refreshedAt < this.switches.concurrentWindowMs;
    if (chain.value === value && !tooSoon) return;
    this.end(chain);
    throw new GrantRefused('invalid_grant');
  }

  private rotate(chain: Chain, now: number): void {
    chain.previous = { value: chain.value, validUntil: now + this.switches.previousValidSeconds * 1000 };
    chain.value = this.newRefreshValue(now);
    chain.issuedAt = now;
  }

  private issuePair(chain: Chain): TokenPair {
    const now = this.clock.now();
    this.forgetOldAccessTokens(now);
    const accessToken = `eyJlbmMiOiJBMTI4Q0JD${randomBytes(360).toString('base64url')}`;
    const accessTokenExpiresAt = now + this.accessTokenSeconds * 1000;
    this.state.access.set(accessToken, { realmId: chain.realmId, expiresAt: accessTokenExpiresAt, revoked: false });
    return {
      realmId: chain.realmId,
      accessToken,
      refreshToken: chain.value,
      accessTokenExpiresAt,
      refreshExpiresInSeconds: this.secondsLeft(chain, now),
      hardExpiresInSeconds: HARD_LIFE_SECONDS - Math.trunc((now - chain.startedAt) / 1000),
    };
  }

  /** Rolling life, restarted when a new value is issued, within the hard cap of the connection. */
  private secondsLeft(chain: Chain, now: number): number {
    const rolling = REFRESH_LIFE_SECONDS - Math.trunc((now - chain.issuedAt) / 1000);
    const hard = HARD_LIFE_SECONDS - Math.trunc((now - chain.startedAt) / 1000);
    return Math.min(rolling, hard);
  }

  /** Either token of a pair ends the company's connection. False when the token is unknown. */
  revoke(token: string): boolean {
    const chain = this.state.chains.find((each) => each.value === token || each.previous?.value === token);
    const realmId = chain?.realmId ?? this.state.access.get(token)?.realmId;
    if (realmId === undefined) return false;
    this.revokeRealm(realmId);
    return true;
  }

  revokeRealm(realmId: string): void {
    for (const chain of this.state.chains) if (chain.realmId === realmId) this.end(chain);
  }

  private end(chain: Chain): void {
    chain.revoked = true;
    for (const token of this.state.access.values()) if (token.realmId === chain.realmId) token.revoked = true;
  }

  expireAccessTokens(realmId: string): void {
    for (const token of this.state.access.values()) if (token.realmId === realmId) token.expiresAt = this.clock.now();
  }

  /** Throws the gateway's own faults: 401 for a token that is no good, 403 for one of another company. */
  authorize(authorization: string | undefined, realmId: string): void {
    const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw authenticationFailed('Missing bearer token');
    if (token.length < 20 || token.length > 4096) {
      throw authenticationFailed('Malformed bearer token: too short or too long');
    }
    const known = this.state.access.get(token);
    if (known === undefined) throw authenticationFailed(`Token invalid: ${token}`);
    if (known.revoked) throw authenticationFailed(`Token revoked: ${token}`);
    if (known.expiresAt <= this.clock.now()) throw authenticationFailed(`Token expired: ${token}`);
    if (known.realmId !== realmId) throw authorizationFailed();
  }

  forgetEverything(): void {
    this.state.chains.length = 0;
    this.state.access.clear();
    this.state.codes.clear();
    Object.assign(this.switches, defaultSwitches);
  }

  private newRefreshValue(now: number): string {
    return `RT1-39-H0-${Math.trunc(now / 1000)}${randomBytes(15).toString('hex')}`;
  }

  /** Expired tokens are kept for a day so that they are told apart from unknown ones. */
  private forgetOldAccessTokens(now: number): void {
    for (const [token, { expiresAt }] of this.state.access) {
      if (expiresAt < now - DAY_MS) this.state.access.delete(token);
    }
  }
}
