import { type Client, createClient } from 'graphql-sse';
import type { Data } from './graphql-client.js';

export const CHANGED = `subscription ($id: ID!, $after: String) {
  change: purchaseOrderChanged(id: $id, after: $after) {
    cursor at purchaseOrder { id reference status notes totalPaid { amount } payments(first: 10) { nodes { reference } } }
  }
}`;
export const ACTIVITY = `subscription ($conferenceId: ID!, $after: String) {
  change: conferenceActivity(conferenceId: $conferenceId, after: $after) { cursor at purchaseOrder { id status notes } }
}`;

export interface SubscriberOptions {
  /** Connects again so often after the connection was lost. */
  readonly retryAttempts?: number;
}

/** A subscription by the client that we recommend. What comes is taken one after the other. */
export class Subscriber {
  readonly #client: Client;
  readonly #results: AsyncIterableIterator<Data>;
  /** How often it connected. */
  connections = 0;

  constructor(
    url: string,
    key: string | undefined,
    [query, variables]: readonly [string, Record<string, unknown>],
    { retryAttempts = 0 }: SubscriberOptions = {},
  ) {
    this.#client = createClient({
      url: `${url}/graphql/stream`,
      headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
      retryAttempts,
      retry: async () => undefined,
      on: { connected: () => void this.connections++ },
    });
    this.#results = this.#client.iterate({ query, variables });
  }

  /** The next result, data or errors; undefined when the server says that there is no more. Throws when it is cut off. */
  async nextResult(): Promise<Data> {
    return (await this.#results.next()).value;
  }

  /** The next change; throws when there is an error instead. */
  async next(): Promise<Data> {
    const result = await this.nextResult();
    if (!result?.data) throw new Error(`no change came: ${JSON.stringify(result)}`);
    return result.data.change;
  }

  /** The first change from now on that is as wanted. */
  async until(isAsWanted: (change: Data) => boolean): Promise<Data> {
    for (;;) {
      const change = await this.next();
      if (isAsWanted(change)) return change;
    }
  }

  leave(): void {
    this.#client.dispose();
  }
}
