import { Writable } from 'node:stream';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { drained, sendEvents } from '../../../src/api/graphql/stream/send-events.js';

/** A client that takes what was sent when it is told to. Two events fill what is kept for it. */
class Client extends Writable {
  readonly taken: string[] = [];
  #take: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 16 });
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.taken.push(String(chunk));
    this.#take = done;
  }

  async take(): Promise<void> {
    this.#take?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

let client: Client;
let leaving: AbortController;
let asked: number;

beforeEach(() => {
  client = new Client();
  leaving = new AbortController();
  client.once('close', () => leaving.abort());
  asked = 0;
});

async function* events(count: number): AsyncGenerator<string> {
  for (let number = 1; number <= count; number++) {
    asked = number;
    yield `event ${number}\n\n`;
  }
}

describe('events', () => {
  test('are not asked for while the client takes none', async () => {
    const sending = sendEvents(events(5), client, leaving.signal);
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toBe(2);
    for (let count = 0; count < 6; count++) await client.take();
    await sending;
    expect(asked).toBe(5);
    expect(client.taken.join('')).toBe('event 1\n\nevent 2\n\nevent 3\n\nevent 4\n\nevent 5\n\n');
    expect(client.writableEnded).toBe(true);
  });

  test('end when the client takes nothing for too long', async () => {
    await sendEvents(events(5), client, leaving.signal, 1);
    expect(client.destroyed).toBe(true);
    expect(asked).toBe(2);
  });

  test('end when the client leaves, also while there are none', async () => {
    const waiting = Promise.withResolvers<void>();
    async function* silence(): AsyncGenerator<string> {
      await waiting.promise;
      yield 'too late';
    }
    const quiet = silence();
    const sending = sendEvents(quiet, client, leaving.signal);
    client.destroy();
    waiting.resolve();
    await sending;
    expect(client.taken).toEqual([]);
    expect(client.writableEnded).toBe(false);
  });
});

test('whoever waits for a client that takes nothing is let go when it leaves', async () => {
  client.write('x'.repeat(16));
  const wait = drained(client, leaving.signal);
  client.destroy();
  await expect(wait).resolves.toBeUndefined();
});
