import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, type JWK, SignJWT } from 'jose';

export const ISSUER = 'https://login.example.org/';
export const AUDIENCE = 'conference-invoicing';

/** An identity provider as far as this server knows one: keys at an address, and tokens that they sign. */
export class IdentityProvider {
  readonly #server: Server;
  readonly #keys = new Map<string, GenerateKeyPairResult>();
  #published: JWK[] = [];
  #status = 200;
  /** Where it publishes its keys. */
  jwksUrl = '';
  /** How often its keys were fetched. */
  fetches = 0;

  private constructor() {
    this.#server = createServer((_request, response) => {
      this.fetches += 1;
      response.writeHead(this.#status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ keys: this.#published }));
    });
  }

  static async start(): Promise<IdentityProvider> {
    const provider = new IdentityProvider();
    provider.#server.listen(0, '127.0.0.1');
    await once(provider.#server, 'listening');
    provider.jwksUrl = `http://127.0.0.1:${(provider.#server.address() as AddressInfo).port}/jwks.json`;
    await provider.addKey('first');
    return provider;
  }

  /** Makes a key; `isPublished: false` keeps it to itself. */
  async addKey(kid: string, { alg = 'RS256', isPublished = true } = {}): Promise<void> {
    const pair = await generateKeyPair(alg);
    this.#keys.set(kid, pair);
    if (isPublished) this.#published.push({ ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' });
  }

  withdrawKey(kid: string): void {
    this.#published = this.#published.filter((key) => key.kid !== kid);
  }

  /** The public key as everybody can fetch it. */
  publicKey(kid: string): JWK {
    const key = this.#published.find((each) => each.kid === kid);
    if (!key) throw new Error(`${kid} is not published`);
    return key;
  }

  /** A token that is valid for five minutes; a claim that is given as undefined is left out. */
  async token(claims: Record<string, unknown>, { kid = 'first', alg = 'RS256' } = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const pair = this.#keys.get(kid);
    if (!pair) throw new Error(`there is no key ${kid}`);
    const defaults = { iss: ISSUER, aud: AUDIENCE, sub: 'ada', iat: now, exp: now + 300 };
    return new SignJWT({ ...defaults, ...claims }).setProtectedHeader({ alg, kid }).sign(pair.privateKey);
  }

  /** From now on its keys are answered with this status. */
  answer(status: number): void {
    this.#status = status;
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
