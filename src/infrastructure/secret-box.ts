import { CompactEncrypt, compactDecrypt } from 'jose';
import type { SecretBox } from '../application/ports/secrets.js';
import type { EncryptionKey } from '../config.js';

/**
 * Secrets as compact JWE texts (direct encryption, AES-256-GCM) whose header names the key. The first key seals; every
 * configured key opens, so a new key is put in front and the old ones stay until nothing sealed with them is left.
 */
export class JweSecretBox implements SecretBox {
  readonly #current: EncryptionKey;
  readonly #secrets: ReadonlyMap<string, Uint8Array>;

  constructor(keys: readonly EncryptionKey[]) {
    const [current] = keys;
    if (!current) throw new Error('at least one encryption key is needed');
    this.#current = current;
    this.#secrets = new Map(keys.map((key) => [key.id, key.secret]));
  }

  async seal(plaintext: string): Promise<string> {
    return new CompactEncrypt(new TextEncoder().encode(plaintext))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: this.#current.id })
      .encrypt(this.#current.secret);
  }

  async open(sealed: string): Promise<string> {
    const { plaintext } = await compactDecrypt(sealed, ({ kid }) => this.#secretOf(kid));
    return new TextDecoder().decode(plaintext);
  }

  #secretOf(kid: string | undefined): Uint8Array {
    const secret = this.#secrets.get(kid ?? '');
    if (!secret) throw new Error(`no key "${kid}" in ENCRYPTION_KEYS: add it back to open what it sealed`);
    return secret;
  }
}
