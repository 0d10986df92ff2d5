import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import type * as TimersPromises from 'node:timers/promises';
import pg from 'pg';

/** Stands around everything that one run of a use case does to the outside. */
export interface Gate {
  sql<T>(client: pg.Client, send: () => Promise<T>): Promise<T>;
  http(send: () => Promise<Response>): Promise<Response>;
  sleep<T>(milliseconds: number, sleep: () => Promise<T>): Promise<T>;
}

const gates = new AsyncLocalStorage<Gate>();

/** Whatever `work` does, also later and in the background, passes through the gate. */
export function throughGate<T>(gate: Gate, work: () => T): T {
  return gates.run(gate, work);
}

/** Without a gate, e.g. for what the harness itself does while a use case runs. */
export function withoutGate<T>(work: () => T): T {
  return gates.exit(work);
}

type Query = (...parameters: unknown[]) => unknown;

/** Wraps the PostgreSQL driver, `fetch` and the timers of this process. `src` knows nothing of it. */
export function installGates(fallback?: Gate): void {
  const currentGate = () => gates.getStore() ?? fallback;
  wrapDrivers(currentGate);
  wrapFetch(currentGate);
  wrapTimers(currentGate);
}

type CurrentGate = () => Gate | undefined;

/** The ORM may bring a driver of its own version; every copy in use is wrapped once. */
function wrapDrivers(currentGate: CurrentGate): void {
  const require = createRequire(import.meta.url);
  const { Client } = createRequire(require.resolve('@mikro-orm/postgresql'))('pg') as typeof pg;
  for (const prototype of new Set([pg.Client.prototype, Client.prototype])) wrapDriver(prototype, currentGate);
}

function wrapDriver(client: pg.Client, currentGate: CurrentGate): void {
  const prototype = client as unknown as { query: Query };
  const original = prototype.query;
  prototype.query = function query(this: pg.Client, ...parameters: unknown[]): unknown {
    const gate = currentGate();
    if (!gate || !answersWithPromise(parameters)) return original.apply(this, parameters);
    return gate.sql(this, () => original.apply(this, parameters) as Promise<unknown>);
  };
}

/** Cursors and calls with a callback are the driver's own business. */
function answersWithPromise(parameters: readonly unknown[]): boolean {
  const [query] = parameters;
  if (typeof query === 'object' && query !== null && 'submit' in query) return false;
  return typeof parameters.at(-1) !== 'function';
}

function wrapFetch(currentGate: CurrentGate): void {
  const original = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    const gate = currentGate();
    return gate ? gate.http(() => original(input, init)) : original(input, init);
  };
}

function wrapTimers(currentGate: CurrentGate): void {
  const timers = createRequire(import.meta.url)('node:timers/promises') as {
    -readonly [K in keyof typeof TimersPromises]: (typeof TimersPromises)[K];
  };
  const original = timers.setTimeout;
  timers.setTimeout = (milliseconds = 0, ...rest) => {
    const gate = currentGate();
    if (!gate) return original(milliseconds, ...rest);
    return gate.sleep(milliseconds, () => withoutGate(() => original(1, ...rest)));
  };
  syncBuiltinESMExports();
}

/**
 * Has the gates also let the pauses of Stripe's SDK pass. Before it repeats a request it sets a timer that calls a function
 * with what it needs for that, three things; no other timer is like that, e.g. none of those with which `fetch` keeps time.
 */
export function skipPauses(): void {
  const original = globalThis.setTimeout;
  const wrapped = (callback: (...rest: unknown[]) => void, milliseconds = 0, ...rest: unknown[]) => {
    const gate = gates.getStore();
    if (!gate || rest.length !== 3) return original(callback, milliseconds, ...rest);
    const wait = () => new Promise((resolve) => withoutGate(() => original(resolve, 1)));
    void gate.sleep(milliseconds, wait).then(() => callback(...rest));
    return undefined;
  };
  globalThis.setTimeout = Object.assign(wrapped, original) as unknown as typeof setTimeout;
}
