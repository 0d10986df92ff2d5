import { createHmac } from 'node:crypto';

/** `stripe-signature` of a body that is sent at this moment. */
export function signatureOf(body: string, secret: string, nowMs: number): string {
  const timestamp = Math.trunc(nowMs / 1000);
  const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  return `t=${timestamp},v1=${signature}`;
}
