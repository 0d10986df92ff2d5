import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from 'graphql-sse';
import { query } from '../data/seed.js';
import { AUTHORIZED } from '../servers.js';
import type { QuickBooksStage } from './quickbooks-stage.js';

/** Somebody who waits for orders to be paid. */
export interface PaidWatch {
  /** For the names of the rows. */
  readonly sees: string;
  untilPaid(orderId: string): Promise<void>;
  end(): void;
}

const ACTIVITY = `subscription ($conferenceId: ID!) {
  change: conferenceActivity(conferenceId: $conferenceId) { purchaseOrder { id status } }
}`;

interface Activity {
  readonly change: { readonly purchaseOrder: { readonly id: string; readonly status: string } | null };
}

const TIMEOUT_MS = 30_000;

/** A client that subscribed to the conference; while there are no subscriptions, one that reads the row again and again. */
export async function watchPaid(stage: QuickBooksStage): Promise<PaidWatch> {
  const { __schema } = await stage.graphql.query('{ __schema { subscriptionType { fields { name } } } }');
  return __schema.subscriptionType === null ? poll(stage) : subscribe(stage);
}

async function subscribe({ url, conferenceId }: QuickBooksStage): Promise<PaidWatch> {
  const paid = new Map<string, PromiseWithResolvers<void>>();
  const begun = Promise.withResolvers<void>();
  const paymentOf = (id: string) => {
    const waiting = paid.get(id) ?? Promise.withResolvers<void>();
    paid.set(id, waiting);
    return waiting;
  };
  const client = createClient({ url: `${url}/graphql/stream`, headers: { authorization: AUTHORIZED.authorization } });
  client.subscribe<Activity>(
    { query: ACTIVITY, variables: { conferenceId } },
    {
      next: ({ data, errors }) => {
        if (errors) begun.reject(new Error(JSON.stringify(errors)));
        begun.resolve();
        const order = data?.change.purchaseOrder;
        if (order?.status === 'PAID') paymentOf(order.id).resolve();
      },
      error: (error) => begun.reject(error),
      complete: () => undefined,
    },
  );
  await begun.promise;
  return {
    sees: 'a subscriber sees the status',
    untilPaid: (id) => Promise.race([paymentOf(id).promise, tooLate(id)]),
    end: () => client.dispose(),
  };
}

async function tooLate(id: string): Promise<never> {
  await delay(TIMEOUT_MS, undefined, { ref: false });
  throw new Error(`${id} is not paid`);
}

const POLLED_EVERY_MS = 5;

function poll({ databaseUrl }: QuickBooksStage): PaidWatch {
  const untilPaid = async (id: string) => {
    const deadline = Date.now() + TIMEOUT_MS;
    const statement = `select from purchase_order where id = $1 and status = 'PAID'`;
    while ((await query(databaseUrl, statement, [id])).length === 0) {
      if (Date.now() > deadline) throw new Error(`${id} is not paid`);
      await delay(POLLED_EVERY_MS);
    }
  };
  return { sees: 'the status is stored', untilPaid, end: () => undefined };
}
