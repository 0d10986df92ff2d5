import type { Chaos } from '../common/chaos.js';
import type { SimulatorClock } from '../common/clock.js';
import type { FaultInjection } from '../common/fault-injection.js';
import type { RequestLog } from '../common/request-log.js';
import type { Company } from './books/model.js';
import { type Change, Work } from './books/work.js';
import type { CallLimits } from './http/call-limits.js';
import type { ChaosOrder } from './http/chaos-rules.js';
import type { FaultRule } from './http/fault-rules.js';
import type { LoggedCall } from './http/logged-call.js';
import type { OAuthServer } from './oauth/oauth-server.js';
import type { WebhookSender } from './webhooks/webhook-sender.js';

/** Everything that one running simulator holds. */
export interface Simulation {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly clock: SimulatorClock;
  readonly companies: Map<string, Company>;
  readonly oauth: OAuthServer;
  readonly requests: RequestLog<LoggedCall>;
  readonly faults: FaultInjection<FaultRule>;
  readonly chaos: Chaos<ChaosOrder, FaultRule>;
  readonly limits: CallLimits;
  readonly webhooks: WebhookSender;
  /** Called after every commit, with what it changed: queues webhooks and saves the books. */
  published(changes: readonly Change[]): void;
  /** Called when something else changed that a restart should find again. */
  changed(): void;
}

/** A company's own time, and the simulator's for everybody else. */
export function timeIn({ companies, clock }: Simulation, realmId: string | undefined): number {
  const company = realmId === undefined ? undefined : companies.get(realmId);
  return company === undefined ? clock.now() : clock.nowAt(company);
}

export function workIn({ clock }: Simulation, company: Company): Work {
  return new Work(company, clock.nowAt(company));
}
