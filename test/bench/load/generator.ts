// Loads a server as its parent process tells it, and reports once. A process of its own, so that its work does not count
// as the server's.

import { latency } from './latency.js';
import { throughput } from './throughput.js';
import { webhooks } from './webhooks.js';
import type { LoadReport, WorkOrder } from './work-order.js';

function perform(order: WorkOrder): Promise<LoadReport> {
  switch (order.kind) {
    case 'throughput':
      return throughput(order);
    case 'latency':
      return latency(order);
    case 'webhooks':
      return webhooks(order);
  }
}

process.once('message', async (order: WorkOrder) => {
  const report = await perform(order).catch((error: unknown) => ({ error: String(error) }));
  process.send?.(report, () => process.exit(0));
});
