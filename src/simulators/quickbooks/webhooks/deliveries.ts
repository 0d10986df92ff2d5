import { randomUUID } from 'node:crypto';
import type { SimulatorClock } from '../../common/clock.js';
import { Deliveries, type Delivery } from '../../common/deliveries.js';
import { post } from '../../common/post.js';
import type { Behaviour } from './behaviour.js';
import { cloudEvents, legacyNotification, type WebhookEvent } from './payloads.js';
import { webhookHeaders } from './webhook-headers.js';

/** A receiver has three seconds to acknowledge. */
const TIMEOUT_MS = 3000;

export interface Target {
  readonly url: string | undefined;
  readonly verifierToken: string;
}

interface Notification extends Delivery {
  readonly at: string;
  readonly body: string;
}

/** Signs and posts events in the format that is asked for. */
export class NotificationDeliveries extends Deliveries<Notification> {
  constructor(
    private readonly clock: SimulatorClock,
    private readonly target: () => Target,
  ) {
    super();
  }

  post(events: readonly WebhookEvent[], { format, voidType, retryMs }: Behaviour): void {
    const content = format === 'legacy' ? legacyNotification(events) : cloudEvents(events, voidType);
    const notification: Notification = {
      id: randomUUID(),
      at: new Date(this.clock.now()).toISOString(),
      owners: [...new Set(events.map((event) => event.realmId))],
      body: JSON.stringify(content),
      attempts: [],
      status: 'pending',
    };
    this.start(notification, retryMs, async (stop) => {
      const { url, verifierToken } = this.target();
      if (url === undefined) return undefined;
      const headers = webhookHeaders(notification.body, verifierToken, notification.id, this.clock.now());
      return post(new URL(url), headers, notification.body, { timeoutMs: TIMEOUT_MS, stop });
    });
  }

  /** As the control API shows them. */
  shown(realmId: string | undefined): object[] {
    return this.list(realmId).map(({ id, at, owners, body, attempts, status }) => ({
      id,
      at,
      realmIds: owners,
      body,
      attempts,
      status,
    }));
  }
}
