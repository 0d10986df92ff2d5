import type { Chaos } from '../common/chaos.js';
import type { SimulatorClock } from '../common/clock.js';
import type { FaultInjection } from '../common/fault-injection.js';
import type { RequestLog } from '../common/request-log.js';
import type { Account, StripeEvent } from './books/model.js';
import { type Cause, Work } from './books/work.js';
import type { ChaosOrder } from './http/chaos-rules.js';
import type { FaultRule } from './http/fault-rules.js';
import type { LoggedCall } from './http/logged-call.js';
import type { WebhookSender } from './webhooks/webhook-sender.js';

/** Everything that one running simulator holds. */
export interface Simulation {
  readonly clock: SimulatorClock;
  /** By account id. */
  readonly accounts: Map<string, Account>;
  readonly requests: RequestLog<LoggedCall>;
  readonly faults: FaultInjection<FaultRule>;
  readonly chaos: Chaos<ChaosOrder, FaultRule>;
  readonly webhooks: WebhookSender;
  /** Called after every commit, with what is to be told about it: queues webhooks and saves the books. */
  published(account: Account, events: readonly StripeEvent[]): void;
  /** Called when something else changed that a restart should find again. */
  changed(): void;
}

export function workIn({ clock }: Simulation, account: Account, cause?: Cause): Work {
  return new Work(account, clock.nowAt(account), cause);
}

export function accountWithKey({ accounts }: Simulation, secretKey: string): Account | undefined {
  for (const account of accounts.values()) {
    if (account.settings.secretKey === secretKey) return account;
  }
  return undefined;
}
