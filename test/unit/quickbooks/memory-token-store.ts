import type { TokenClaim } from '../../../src/application/ports/accounting.js';
import type { SecretBox } from '../../../src/application/ports/secrets.js';
import type { SealedTokens, StoredConnection, TokenStore } from '../../../src/infrastructure/quickbooks/token-store.js';

/** Marks what is sealed, so that a test sees when something is stored in clear or sent sealed. */
export const markingBox: SecretBox = {
  seal: async (plaintext) => `sealed(${plaintext})`,
  open: async (sealed) => {
    const [, plaintext] = /^sealed\((.*)\)$/.exec(sealed) ?? [];
    if (plaintext === undefined) throw new Error('not sealed');
    return plaintext;
  },
};

export const storedConnection: StoredConnection = {
  id: 'qbo_1',
  environment: 'SANDBOX',
  realmId: '4620',
  simulated: false,
  reconnectRequired: false,
  accessToken: 'sealed(access-1)',
  refreshToken: 'sealed(refresh-1)',
  previousRefreshToken: undefined,
  accessTokenExpiresAt: new Date('2026-11-21T13:00:00Z'),
  isAccessTokenNew: false,
  tokenVersion: 1,
  pauses: { read: { remainingMs: 0, count: 0 }, write: { remainingMs: 0, count: 0 } },
  app: undefined,
  homeCurrency: 'USD',
};

/** One connection in memory, by the rules that `TokenStore` states, without rests. Leases never end, and tokens never age. */
export class MemoryTokenStore implements TokenStore {
  fence = 0;
  leased = false;
  refreshTokenExpiresAt: Date | undefined;
  refreshTokenHardExpiresAt: Date | undefined;

  constructor(public connection: StoredConnection = storedConnection) {}

  async load(connectionId: string) {
    return connectionId === this.connection.id ? this.connection : undefined;
  }

  async claimRefresh(connectionId: string, tokenVersion: number) {
    return this.connection.reconnectRequired ? undefined : this.claimReplacement(connectionId, tokenVersion);
  }

  async claimReplacement(connectionId: string, tokenVersion: number) {
    if (this.leased || this.connection.tokenVersion !== tokenVersion) return undefined;
    this.leased = true;
    this.fence++;
    return { connectionId, tokenVersion, fence: this.fence };
  }

  async recordTokens(claim: TokenClaim, tokens: SealedTokens) {
    if (!this.#holds(claim)) return false;
    const { accessToken, accessTokenExpiresAt, refreshToken } = tokens;
    const previousRefreshToken = tokens.replacedRefreshToken ?? this.connection.previousRefreshToken;
    const tokenVersion = claim.tokenVersion + 1;
    const changed = { accessToken, accessTokenExpiresAt, refreshToken, previousRefreshToken, tokenVersion };
    this.connection = { ...this.connection, ...changed, isAccessTokenNew: true };
    this.refreshTokenHardExpiresAt = tokens.refreshTokenHardExpiresAt ?? this.refreshTokenHardExpiresAt;
    this.refreshTokenExpiresAt = tokens.refreshTokenExpiresAt ?? this.refreshTokenExpiresAt;
    this.leased = false;
    return true;
  }

  async requireReconnect(claim: TokenClaim) {
    if (!this.#holds(claim)) return false;
    this.connection = { ...this.connection, reconnectRequired: true };
    this.leased = false;
    return true;
  }

  async requireReconnectOf(connectionId: string, tokenVersion: number) {
    if (this.leased || connectionId !== this.connection.id || tokenVersion !== this.connection.tokenVersion)
      return false;
    this.connection = { ...this.connection, reconnectRequired: true };
    return true;
  }

  async releaseRefresh(claim: TokenClaim) {
    if (this.#holds(claim)) this.leased = false;
  }

  #holds({ fence, tokenVersion }: TokenClaim): boolean {
    return fence === this.fence && tokenVersion === this.connection.tokenVersion;
  }
}
