import { createHmac } from 'node:crypto';

export function webhookHeaders(
  body: string,
  verifierToken: string,
  deliveryId: string,
  now: number,
): Record<string, string> {
  return {
    'content-type': 'application/json; charset=utf-8',
    'content-length': `${Buffer.byteLength(body)}`,
    'user-agent': 'intuit_notification_server/0.1',
    'intuit-signature': createHmac('sha256', verifierToken).update(body).digest('base64'),
    'intuit-created-time': new Date(now).toISOString().replace(/\.\d+Z$/, '-0000'),
    'intuit-t-id': deliveryId,
    'intuit-notification-schema-version': '0.1',
  };
}
