import type { TokenClaim } from '../../application/ports/accounting.js';
import type { IntuitEnvironment } from './endpoints.js';
import type { CallEffect } from './faults.js';

/** A connection as stored. The secrets are sealed texts (`SecretBox`). */
export interface StoredConnection {
  readonly id: string;
  readonly environment: IntuitEnvironment;
  readonly realmId: string;
  readonly simulated: boolean;
  readonly reconnectRequired: boolean;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** The one before it, while Intuit still takes it (24 hours). */
  readonly previousRefreshToken: string | undefined;
  readonly accessTokenExpiresAt: Date;
  /** It comes from a refresh a few minutes ago. */
  readonly isAccessTokenNew: boolean;
  readonly tokenVersion: number;
  readonly pauses: Readonly<Record<CallEffect, Pause>>;
  /** The Intuit app it was made with; undefined: the default one. */
  readonly app: { readonly clientId: string; readonly clientSecret: string } | undefined;
  /** Undefined: the company's settings were not read yet. */
  readonly homeCurrency: string | undefined;
}

/** QuickBooks asked to be left alone with reads or with writes. */
export interface Pause {
  /** Zero when it is over, or there was none. */
  readonly remainingMs: number;
  /** Pauses without a success in between. */
  readonly count: number;
}

/** New tokens, sealed. */
export interface SealedTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** The one that `refreshToken` follows; undefined: it is still the same. */
  readonly replacedRefreshToken: string | undefined;
  readonly accessTokenExpiresAt: Date;
  /** Undefined: Intuit did not tell, the stored time stays. */
  readonly refreshTokenExpiresAt: Date | undefined;
  readonly refreshTokenHardExpiresAt: Date | undefined;
}

/**
 * Where connections are kept, shared by all processes. Intuit rotates refresh tokens and may treat a simultaneous second
 * refresh as an attack, so at most one refresher works on a connection: it claims a lease with a fencing number, and
 * everything that it writes afterwards takes effect only while the number is the latest and nobody stored other tokens.
 */
export interface TokenStore {
  load(connectionId: string): Promise<StoredConnection | undefined>;
  /** Undefined: somebody else holds the lease, or the tokens are not those of `tokenVersion` any more. */
  claimRefresh(connectionId: string, tokenVersion: number): Promise<TokenClaim | undefined>;
  /** The same also for a connection that must be reconnected: somebody brings other tokens. */
  claimReplacement(connectionId: string, tokenVersion: number): Promise<TokenClaim | undefined>;
  /** Stores all of it, raises the version and ends the lease, at once. False: fenced off, nothing was stored. */
  recordTokens(claim: TokenClaim, tokens: SealedTokens): Promise<boolean>;
  /** Marks the connection as dead and changes nothing else of it. False: fenced off, nothing was changed. */
  requireReconnect(claim: TokenClaim): Promise<boolean>;
  /** The same for tokens that QuickBooks refuses. False: it has other tokens or is about to get them, nothing was changed. */
  requireReconnectOf(connectionId: string, tokenVersion: number): Promise<boolean>;
  /** Ends the lease without a result. The next caller may try after a rest, lest Intuit take the two for simultaneous. */
  releaseRefresh(claim: TokenClaim): Promise<void>;
}
