/** One connection of a company: its refresh value changes now and then, and the one before lives on for a while. */
export interface Chain {
  readonly realmId: string;
  readonly startedAt: number;
  value: string;
  issuedAt: number;
  previous: { readonly value: string; readonly validUntil: number } | undefined;
  refreshedAt: number | undefined;
  revoked: boolean;
}

export interface AccessToken {
  readonly realmId: string;
  expiresAt: number;
  revoked: boolean;
}

/** What a restart has to find again. */
export interface OAuthState {
  readonly chains: readonly Chain[];
  readonly access: ReadonlyMap<string, AccessToken>;
  readonly codes: Map<string, { readonly realmId: string; readonly redirectUri: string; readonly expiresAt: number }>;
}

export function newOAuthState(): OAuthState {
  return { chains: [], access: new Map(), codes: new Map() };
}
