import { setTimeout as delay } from 'node:timers/promises';

/** Repeats a reading until it is as wanted, and returns it; after the time it throws what it last saw. */
export async function eventually<T>(
  read: () => Promise<T>,
  isAsWanted: (value: T) => boolean,
  timeoutMs = 15_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (isAsWanted(value)) return value;
    if (Date.now() > deadline) throw new Error(`still not as wanted after ${timeoutMs} ms: ${JSON.stringify(value)}`);
    await delay(50);
  }
}
