import { createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** A receiver has three seconds to acknowledge. */
const TIMEOUT_MS = 3000;

/** Posts once, on a connection of its own, and reports the status or what went wrong. */
export function post(
  url: URL,
  headers: Record<string, string>,
  body: string,
  stop: AbortSignal,
): Promise<number | string> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(TIMEOUT_MS)]);
    const sent = request(url, { method: 'POST', headers, agent: false, signal }, (response) => {
      response.resume();
      response.once('close', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', (error) => resolve(error.name === 'AbortError' ? 'no answer in time' : error.message));
    sent.end(body);
  });
}

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
