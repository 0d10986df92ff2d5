import autocannon, { type Request } from 'autocannon';
import type { LoadReport, ThroughputOrder } from './work-order.js';

/** Every answer must be, byte for byte, the one that was checked before the round. */
export async function throughput({ url, connections, seconds, exchanges }: ThroughputOrder): Promise<LoadReport> {
  let right = 0;
  let wrong: string | undefined;
  const requests = exchanges.map(
    ({ path, headers, body, answer }): Request => ({
      method: 'POST',
      path,
      headers,
      body,
      onResponse: (status, received) => {
        if (status === 200 && received === answer) right += 1;
        else wrong ??= `${status} ${received.slice(0, 500)}`;
      },
    }),
  );
  const { errors, timeouts, duration } = await autocannon({ url, connections, duration: seconds, requests });
  if (wrong !== undefined) throw new Error(`an answer was not as expected: ${wrong}`);
  if (errors + timeouts > 0) throw new Error(`${errors} requests failed and ${timeouts} took too long`);
  return { requestsPerSecond: right / duration, latenciesMs: [], acknowledgedIds: [] };
}
