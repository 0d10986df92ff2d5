import { createHook } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { startTestApp } from '../../support/test-app.js';

/** How many timers that were set meanwhile still keep the process. */
async function timersLeftBy(work: () => Promise<void>): Promise<number> {
  const timers = new Map<number, NodeJS.Timeout>();
  const hook = createHook({
    init: (id, type, _trigger, resource) => type === 'Timeout' && timers.set(id, resource as NodeJS.Timeout),
    destroy: (id) => timers.delete(id),
  }).enable();
  await work();
  const left = () => [...timers.values()].filter((timer) => timer.hasRef()).length;
  // Sockets that were closed take a moment to give theirs up; a leak of ours keeps its timer for seconds.
  for (let waits = 0; waits < 20 && left() > 0; waits++) await delay(50, undefined, { ref: false });
  hook.disable();
  return left();
}

test('a server that was stopped leaves no timer that would keep its process', async () => {
  const left = await timersLeftBy(async () => {
    const app = await startTestApp();
    await app.stop();
  });
  expect(left).toBe(0);
});
