import { randomBytes } from 'node:crypto';
import type { SimulatorClock } from '../../common/clock.js';
import { authenticationFailed, authorizationFailed } from '../faults.js';
import { ConnectionIndex } from './connection-index.js';
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
  readonly rotateEveryRefresh: boolean;
  /** A replayed refresh value, or a second refresh within `concurrentWindowMs`, ends the connection. */
  readonly punishConcurrentRefresh: boolean;
  readonly concurrentWindowMs: number;
  /** How long the previous value stays good after a rotation. */
  readonly previousValidSeconds: number;
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

const defaultSwitches: OAuthSwitches = {
  rotateEveryRefresh: false,
  punishConcurrentRefresh: false,
  concurrentWindowMs: 1000,
  previousValidSeconds: 24 * 3600,
};

/** Connections of one app to companies: authorization codes, access tokens and rotating refresh tokens. */
export class OAuthServer {
  private forAll: OAuthSwitches = defaultSwitches;
  private readonly own = new Map<string, Partial<OAuthSwitches>>();
  private readonly connections: ConnectionIndex;
  private readonly codes: OAuthState['codes'];

  constructor(
    private readonly clock: SimulatorClock,
    saved: OAuthState,
    private readonly accessTokenSeconds: number,
  ) {
    this.connections = new ConnectionIndex(saved);
    this.codes = saved.codes;
  }

  get state(): OAuthState {
    return { ...this.connections.state, codes: this.codes };
  }

  /** Without a realm: the default of all that have no switches of their own. */
  configure(realmId: string | undefined, changes: Partial<OAuthSwitches>): OAuthSwitches {
    if (realmId === undefined) this.forAll = { ...this.forAll, ...changes };
    else this.own.set(realmId, { ...this.own.get(realmId), ...changes });
    return this.switchesOf(realmId);
  }

  private switchesOf(realmId: string | undefined): OAuthSwitches {
    return { ...this.forAll, ...(realmId === undefined ? {} : this.own.get(realmId)) };
  }

  issueCode(realmId: string, redirectUri: string): string {
    const code = `AB11${randomBytes(24).toString('hex')}`;
    this.codes.set(code, { realmId, redirectUri, expiresAt: this.clock.now() + CODE_LIFE_MS });
    return code;
  }

  /** A code works once. A new connection replaces the company's old ones. */
  exchangeCode(code: string, redirectUri: string): TokenPair {
    const grant = this.codes.get(code);
    this.codes.delete(code);
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
    this.connections.add(chain);
    return this.issuePair(chain);
  }

  refresh(value: string): TokenPair {
    const now = this.clock.now();
    const chain = this.connections.chainOf(value);
    if (chain === undefined) throw new GrantRefused('invalid_grant', 'Token invalid');
    if (chain.revoked) throw new GrantRefused('invalid_grant', 'Token has been expired or revoked.');
    const switches = this.switchesOf(chain.realmId);
    this.punishReplay(chain, value, now, switches);
    if (chain.value !== value && (chain.previous?.validUntil ?? 0) <= now) throw new GrantRefused('invalid_grant');
    if (this.secondsLeft(chain, now) <= 0)
      throw new GrantRefused('invalid_grant', 'Token has been expired or revoked.');
    if (switches.rotateEveryRefresh || now - chain.issuedAt >= DAY_MS) this.rotate(chain, now, switches);
    chain.refreshedAt = now;
    return this.issuePair(chain);
  }

  private punishReplay(chain: Chain, value: string, now: number, switches: OAuthSwitches): void {
    if (!switches.punishConcurrentRefresh) return;
    const tooSoon = chain.refreshedAt !== undefined && now - chain.refreshedAt < switches.concurrentWindowMs;
    if (chain.value === value && !tooSoon) return;
    this.end(chain);
    throw new GrantRefused('invalid_grant');
  }

  private rotate(chain: Chain, now: number, { previousValidSeconds }: OAuthSwitches): void {
    this.connections.rotate(chain, this.newRefreshValue(now), now + previousValidSeconds * 1000);
    chain.issuedAt = now;
  }

  private issuePair(chain: Chain): TokenPair {
    const now = this.clock.now();
    // Expired tokens are kept for a day so that they are told apart from unknown ones.
    this.connections.forgetAccess(chain.realmId, ({ expiresAt }) => expiresAt < now - DAY_MS);
    const accessToken = `eyJlbmMiOiJBMTI4Q0JD${randomBytes(360).toString('base64url')}`;
    const accessTokenExpiresAt = now + this.accessTokenSeconds * 1000;
    this.connections.addAccess(accessToken, {
      realmId: chain.realmId,
      expiresAt: accessTokenExpiresAt,
      revoked: false,
    });
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

  /** The company that a code or a token belongs to. */
  realmOf(credential: string): string | undefined {
    const held = this.connections.chainOf(credential) ?? this.connections.access(credential);
    return held?.realmId ?? this.codes.get(credential)?.realmId;
  }

  /** Either token of a pair ends the company's connection. False when the token is unknown. */
  revoke(token: string): boolean {
    const held = this.connections.chainOf(token) ?? this.connections.access(token);
    if (held === undefined) return false;
    this.revokeRealm(held.realmId);
    return true;
  }

  revokeRealm(realmId: string): void {
    for (const chain of this.connections.chainsIn(realmId)) this.end(chain);
  }

  private end(chain: Chain): void {
    chain.revoked = true;
    for (const token of this.connections.accessIn(chain.realmId)) token.revoked = true;
  }

  expireAccessTokens(realmId: string): void {
    for (const token of this.connections.accessIn(realmId)) token.expiresAt = this.clock.now();
  }

  /** Throws the gateway's own faults: 401 for a token that is no good, 403 for one of another company. */
  authorize(authorization: string | undefined, realmId: string): void {
    const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw authenticationFailed('Missing bearer token');
    if (token.length < 20 || token.length > 4096) {
      throw authenticationFailed('Malformed bearer token: too short or too long');
    }
    const known = this.connections.access(token);
    if (known === undefined) throw authenticationFailed(`Token invalid: ${token}`);
    if (known.revoked) throw authenticationFailed(`Token revoked: ${token}`);
    if (known.expiresAt <= this.clock.now()) throw authenticationFailed(`Token expired: ${token}`);
    if (known.realmId !== realmId) throw authorizationFailed();
  }

  /** As if the company had never been connected. */
  forgetRealm(realmId: string): void {
    this.connections.forgetRealm(realmId);
    this.own.delete(realmId);
    for (const [code, grant] of this.codes) if (grant.realmId === realmId) this.codes.delete(code);
  }

  forgetEverything(): void {
    this.connections.clear();
    this.codes.clear();
    this.own.clear();
    this.forAll = defaultSwitches;
  }

  private newRefreshValue(now: number): string {
    return `RT1-39-H0-${Math.trunc(now / 1000)}${randomBytes(15).toString('hex')}`;
  }
}
