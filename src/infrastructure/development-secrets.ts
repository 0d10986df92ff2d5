import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { generateApiKey } from '../application/access/api-keys.js';
import type { EncryptionKey } from '../config.js';

/** What production takes from its environment and development makes up once and keeps in the data directory. */
export interface DevelopmentSecrets {
  readonly encryptionKey: EncryptionKey;
  readonly apiKey: string;
  /** Where the key can be read again. */
  readonly apiKeyFile: string;
  readonly verifierToken: string;
  /** Signs what the Stripe simulator sends to the demo conference. */
  readonly stripeWebhookSecret: string;
}

export async function loadDevelopmentSecrets(dataDirectory: string): Promise<DevelopmentSecrets> {
  await mkdir(dataDirectory, { recursive: true });
  const encryptionKey = await keep(dataDirectory, 'encryption-key', () => randomBytes(32).toString('base64'));
  return {
    encryptionKey: { id: 'development', secret: new Uint8Array(Buffer.from(encryptionKey, 'base64')) },
    apiKey: await keep(dataDirectory, 'development-api-key', generateApiKey),
    apiKeyFile: resolve(dataDirectory, 'development-api-key'),
    verifierToken: await keep(dataDirectory, 'webhook-verifier-token', () => randomBytes(24).toString('hex')),
    stripeWebhookSecret: await keep(
      dataDirectory,
      'stripe-webhook-secret',
      () => `whsec_${randomBytes(24).toString('hex')}`,
    ),
  };
}

/** Reads a secret, or makes it and keeps it readable for its owner only. Of two first starts one writes. */
async function keep(directory: string, name: string, make: () => string): Promise<string> {
  const path = join(directory, name);
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(make());
    await file.close();
    await chmod(path, 0o600);
  } catch (error) {
    if (!isAlreadyThere(error)) throw error;
  }
  return (await readFile(path, 'utf8')).trim();
}

function isAlreadyThere(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EEXIST';
}
