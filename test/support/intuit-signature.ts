import { createHmac } from 'node:crypto';

/** The `intuit-signature` header that Intuit sends with this body. */
export function signWebhook(body: Buffer, verifierToken: string): string {
  return createHmac('sha256', verifierToken).update(body).digest('base64');
}
