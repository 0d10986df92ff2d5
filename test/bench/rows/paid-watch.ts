import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from 'graphql-sse';
import { AUTHORIZED } from '../servers.js';
import type { QuickBooksStage } from './quickbooks-stage.js';

/** Somebody who waits for orders to be paid. */
export interface PaidWatch {
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

/** A client that subscribed to the conference. */
export async function watchPaid({ url, conferenceId }: QuickBooksStage): Promise<PaidWatch> {
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
    untilPaid: (id) => Promise.race([paymentOf(id).promise, tooLate(id)]),
    end: () => client.dispose(),
  };
}

async function tooLate(id: string): Promise<never> {
  await delay(TIMEOUT_MS, undefined, { ref: false });
  throw new Error(`${id} is not paid`);
}
