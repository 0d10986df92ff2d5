import { randomUUID } from 'node:crypto';
import { eventually } from '../../support/eventually.js';
import type { Data } from '../../support/graphql-client.js';
import { signWebhook } from '../../support/intuit-signature.js';
import type { TestApp } from '../../support/test-app.js';

/** An element of the current format, as Intuit sends it. */
export function cloudEvent(entity: string, operation: string, entityId: string, realmId: string, more = {}): Data {
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: 'intuit.dsnBgbseACLLRZNxo2dfc4evmEJdxde58xeeYcZliOU=',
    type: `qbo.${entity}.${operation}.v1`,
    datacontenttype: 'application/json',
    // Intuit writes nanoseconds.
    time: new Date().toISOString().replace('Z', '851517Z'),
    intuitentityid: entityId,
    intuitaccountid: realmId,
    data: {},
    ...more,
  };
}

/** A notification of the retired format. */
export function legacyNotification(realmId: string, entities: readonly Data[]): Data {
  return { eventNotifications: [{ realmId, dataChangeEvent: { entities } }] };
}

/** Posts bytes; signed correctly unless other headers are given. `undefined` leaves a header out. */
export async function deliver(
  app: TestApp,
  body: string | Buffer | object,
  headers: Record<string, string | undefined> = {},
): Promise<{ status: number; body: Data }> {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const all: Record<string, string | undefined> = {
    'content-type': 'application/json; charset=utf-8',
    'intuit-signature': signWebhook(bytes, app.verifierToken),
    ...headers,
  };
  const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const response = await fetch(`${app.app.url}/webhooks/qbo`, {
    method: 'POST',
    headers: Object.fromEntries(given),
    body: new Uint8Array(bytes),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

export async function storedEvents({ sql }: TestApp): Promise<Data[]> {
  return sql('select * from webhook_event order by id');
}

export async function eventsOf({ sql }: TestApp, eventIds: readonly string[]): Promise<Data[]> {
  return sql('select * from webhook_event where event_id = any($1) order by id', [eventIds]);
}

/** Waits until none of these events waits any more. */
export async function workedOff(app: TestApp, events: readonly Data[]): Promise<Data[]> {
  const ids = events.map(({ id }) => id);
  return eventually(
    () => eventsOf(app, ids),
    (rows) =>
      rows.length === new Set(ids).size && rows.every(({ state }) => !['RECEIVED', 'PROCESSING'].includes(state)),
  );
}
