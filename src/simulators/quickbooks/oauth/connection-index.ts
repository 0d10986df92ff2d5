import type { AccessToken, Chain, OAuthState } from './oauth-state.js';

interface Connections {
  readonly chains: Chain[];
  readonly access: Map<string, AccessToken>;
}

/** Connections by company, and every token's own way to them: thousands of companies do not slow one another down. */
export class ConnectionIndex {
  private readonly byRealm = new Map<string, Connections>();
  private readonly chainByValue = new Map<string, Chain>();
  private readonly realmByAccess = new Map<string, string>();

  constructor(saved: Pick<OAuthState, 'chains' | 'access'>) {
    for (const chain of saved.chains) this.add(chain);
    for (const [value, token] of saved.access) this.addAccess(value, token);
  }

  get state(): Pick<OAuthState, 'chains' | 'access'> {
    const all = [...this.byRealm.values()];
    return { chains: all.flatMap(({ chains }) => chains), access: new Map(all.flatMap(({ access }) => [...access])) };
  }

  add(chain: Chain): void {
    this.connectionsOf(chain.realmId).chains.push(chain);
    this.chainByValue.set(chain.value, chain);
    if (chain.previous !== undefined) this.chainByValue.set(chain.previous.value, chain);
  }

  /** The value that was current becomes the previous one, and the one before that is nobody's any more. */
  rotate(chain: Chain, value: string, previousValidUntil: number): void {
    if (chain.previous !== undefined) this.chainByValue.delete(chain.previous.value);
    chain.previous = { value: chain.value, validUntil: previousValidUntil };
    chain.value = value;
    this.chainByValue.set(value, chain);
  }

  addAccess(value: string, token: AccessToken): void {
    this.connectionsOf(token.realmId).access.set(value, token);
    this.realmByAccess.set(value, token.realmId);
  }

  forgetAccess(realmId: string, isForgotten: (token: AccessToken) => boolean): void {
    const { access } = this.connectionsOf(realmId);
    for (const [value, token] of access) {
      if (!isForgotten(token)) continue;
      access.delete(value);
      this.realmByAccess.delete(value);
    }
  }

  chainOf(value: string): Chain | undefined {
    return this.chainByValue.get(value);
  }

  access(value: string): AccessToken | undefined {
    return this.byRealm.get(this.realmByAccess.get(value) ?? '')?.access.get(value);
  }

  chainsIn(realmId: string): readonly Chain[] {
    return this.byRealm.get(realmId)?.chains ?? [];
  }

  accessIn(realmId: string): Iterable<AccessToken> {
    return this.byRealm.get(realmId)?.access.values() ?? [];
  }

  forgetRealm(realmId: string): void {
    for (const chain of this.chainsIn(realmId)) {
      this.chainByValue.delete(chain.value);
      if (chain.previous !== undefined) this.chainByValue.delete(chain.previous.value);
    }
    this.forgetAccess(realmId, () => true);
    this.byRealm.delete(realmId);
  }

  clear(): void {
    this.byRealm.clear();
    this.chainByValue.clear();
    this.realmByAccess.clear();
  }

  private connectionsOf(realmId: string): Connections {
    const known = this.byRealm.get(realmId);
    if (known !== undefined) return known;
    const connections = { chains: [], access: new Map() };
    this.byRealm.set(realmId, connections);
    return connections;
  }
}
