import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** Posts once, on a connection of its own, and reports the status or what went wrong. */
export function post(
  url: URL,
  headers: Record<string, string>,
  body: string,
  { timeoutMs, stop }: { readonly timeoutMs: number; readonly stop: AbortSignal },
): Promise<number | string> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
    const sent = request(url, { method: 'POST', headers, agent: false, signal }, (response) => {
      response.resume();
      response.once('close', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', (error) => resolve(error.name === 'AbortError' ? 'no answer in time' : error.message));
    sent.end(body);
  });
}
