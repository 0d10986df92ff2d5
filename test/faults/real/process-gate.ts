import { writeSync } from 'node:fs';
import type { Gate } from '../interception.js';
import { throughGate } from '../interception.js';
import { nameOf, type Point, type Strike } from '../points.js';

/** What the harness has this process be struck by; replaced by every message. */
let armed: Strike[] = [];

export function arm(strikes: readonly Strike[]): void {
  armed = [...strikes];
}

/** Counts what one run of a use case does, and ends the process at the point that is armed. */
export function strikable<T>(useCase: string, work: () => T): T {
  return throughGate(gateOf(useCase), work);
}

function gateOf(useCase: string): Gate {
  const counts = { sql: 0, http: 0 };
  return {
    sql: (client, send) => {
      counts.sql += 1;
      const cut = () => client.connection.stream.destroy();
      return pass({ useCase, kind: 'sql', n: counts.sql }, send, cut);
    },
    http: (send) => {
      counts.http += 1;
      return pass({ useCase, kind: 'http', n: counts.http }, send, () => undefined);
    },
    sleep: (_milliseconds, sleep) => sleep(),
  };
}

async function pass<T>(at: Omit<Point, 'side'>, send: () => Promise<T>, cut: () => void): Promise<T> {
  strike({ ...at, side: 'before' }, cut);
  const sent = send();
  if (at.kind === 'http') setImmediate(() => strike({ ...at, side: 'during' }, cut));
  try {
    return await sent;
  } finally {
    strike({ ...at, side: 'after' }, cut);
  }
}

function strike(point: Point, cut: () => void): void {
  const index = armed.findIndex(
    (each) =>
      each.useCase === point.useCase && each.kind === point.kind && each.n === point.n && each.side === point.side,
  );
  const [hit] = index < 0 ? [] : armed.splice(index, 1);
  if (!hit) return;
  // Synchronous: there is no later.
  writeSync(1, `hit ${nameOf(hit)}\n`);
  if (hit.action === 'cut') cut();
  else process.kill(process.pid, 'SIGKILL');
}
