import { randomUUID } from 'node:crypto';
import type { Change, ChangeOperation } from '../books/work.js';
import { metaTime } from '../dates.js';

/** A change with the id under which it is announced, however often it is delivered. */
export interface WebhookEvent extends Change {
  readonly id: string;
}

export function eventOf(change: Change): WebhookEvent {
  return { ...change, id: randomUUID() };
}

/** The current format: an array in which one delivery may mix companies. */
export function cloudEvents(events: readonly WebhookEvent[], voidType: 'void' | 'voided'): object[] {
  return events.map((event) => ({
    specversion: '1.0',
    id: event.id,
    source: 'intuit.c2ltdWxhdG9yLXF1aWNrYm9va3Mtb25saW5lLWFwcA=',
    type: `qbo.${event.entity.toLowerCase()}.${event.operation === 'void' ? voidType : event.operation}.v1`,
    datacontenttype: 'application/json',
    // Nanoseconds, which is more than a JavaScript date can hold.
    time: new Date(event.at).toISOString().replace('Z', '179851Z'),
    intuitentityid: event.entityId,
    intuitaccountid: event.realmId,
    data: {},
  }));
}

const legacyOperations: Record<ChangeOperation, string> = {
  created: 'Create',
  updated: 'Update',
  deleted: 'Delete',
  void: 'Void',
  emailed: 'Emailed',
};

/** The retired format, grouped by company. */
export function legacyNotification(events: readonly WebhookEvent[]): object {
  const realms = [...new Set(events.map((event) => event.realmId))];
  return {
    eventNotifications: realms.map((realmId) => ({
      realmId,
      dataChangeEvent: {
        entities: events
          .filter((event) => event.realmId === realmId)
          .map((event) => ({
            name: event.entity,
            id: event.entityId,
            operation: legacyOperations[event.operation],
            lastUpdated: metaTime(event.at).replace(/:(\d{2})$/, '$1'),
          })),
      },
    })),
  };
}
