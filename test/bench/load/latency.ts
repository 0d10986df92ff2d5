import { Agent } from 'node:http';
import { post } from './post.js';
import type { LatencyOrder, LoadReport } from './work-order.js';

export async function latency({ url, times, exchanges }: LatencyOrder): Promise<LoadReport> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const latenciesMs: number[] = [];
  const startedAt = performance.now();
  for (let nth = 0; nth < times; nth += 1) {
    const exchange = exchanges[nth % exchanges.length];
    if (!exchange) throw new Error('there is nothing to ask for');
    const sentAt = performance.now();
    const { status, text } = await post(agent, `${url}${exchange.path}`, exchange);
    latenciesMs.push(performance.now() - sentAt);
    if (status !== 200 || text !== exchange.answer) {
      throw new Error(`an answer was not as expected: ${status} ${text.slice(0, 500)}`);
    }
  }
  const requestsPerSecond = times / ((performance.now() - startedAt) / 1000);
  agent.destroy();
  return { requestsPerSecond, latenciesMs, acknowledgedIds: [] };
}
