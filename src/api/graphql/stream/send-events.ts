import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** A client that takes nothing for so long is gone, or as good as gone. */
const STALLED_MS = 60_000;

/**
 * Writes events no faster than the client takes them, until there are no more, the client is gone, or it takes nothing
 * any more.
 */
export async function sendEvents(
  events: AsyncGenerator<string>,
  output: Writable,
  closed: AbortSignal,
  stalledMs = STALLED_MS,
): Promise<void> {
  closed.addEventListener('abort', () => void events.return(undefined));
  for await (const event of events) {
    if (output.destroyed) return;
    output.write(event);
    await drained(output, AbortSignal.any([closed, AbortSignal.timeout(stalledMs)]));
    if (output.writableNeedDrain) {
      output.destroy();
      return;
    }
  }
  if (!output.destroyed) output.end();
}

/** Resolves when what was written went out, or the signal aborts. */
export async function drained(output: Writable, signal: AbortSignal): Promise<void> {
  if (output.writableNeedDrain) await once(output, 'drain', { signal }).catch(() => undefined);
}
