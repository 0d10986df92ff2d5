/** Authenticated encryption of secrets at rest. The text names the key, so that keys can be rotated. */
export interface SecretBox {
  seal(plaintext: string): Promise<string>;
  /** Throws when the text was altered or its key is no longer configured. */
  open(sealed: string): Promise<string>;
}

/** Undefined: the key that it was sealed with is lost, so that only a person can bring the secret again. */
export function openIfPossible(secrets: SecretBox, sealed: string): Promise<string | undefined> {
  return secrets.open(sealed).catch(() => undefined);
}
