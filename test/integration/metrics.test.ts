import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/postgresql';
import { openOrm } from '../../src/infrastructure/database/orm.js';
import { Metrics } from '../../src/infrastructure/observability/metrics.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { insertConnection } from './quickbooks/connections.js';

let database: TestDatabase;
let orm: MikroORM;

beforeAll(async () => {
  database = await createTestDatabase();
  orm = await openOrm(database.url);
});

afterAll(async () => {
  await orm.close();
  await database.drop();
});

async function linesOf(...names: string[]): Promise<string[]> {
  const text = await new Metrics(orm).registry.metrics();
  return text.split('\n').filter((line) => names.some((name) => line.startsWith(name)));
}

describe('a series that an alert watches is there when there is nothing to count', () => {
  test('with every state', async () => {
    const names = [
      'webhook_event',
      'provider_operations_open',
      'qbo_connections',
      'quickbooks_sweeps',
      'quickbooks_web',
    ];
    expect(await linesOf(...names)).toEqual([
      'quickbooks_sweeps_total{outcome="done"} 0',
      'quickbooks_sweeps_total{outcome="failed"} 0',
      'quickbooks_sweeps_total{outcome="nothing_to_watch"} 0',
      'quickbooks_webhook_gaps_total 0',
      'webhook_events{state="RECEIVED"} 0',
      'webhook_events{state="PROCESSING"} 0',
      'webhook_events{state="DEAD"} 0',
      'webhook_event_oldest_waiting_seconds 0',
      'provider_operations_open{state="CLAIMED"} 0',
      'provider_operations_open{state="IN_FLIGHT"} 0',
      'provider_operations_open{state="UNKNOWN"} 0',
      'qbo_connections{status="CONNECTED"} 0',
      'qbo_connections{status="RECONNECT_REQUIRED"} 0',
    ]);
  });

  test('for each connected company', async () => {
    const { realmId } = await insertConnection(orm);
    expect(await linesOf('qbo_connections', 'qbo_paused', 'qbo_calls')).toEqual([
      'qbo_connections{status="CONNECTED"} 1',
      'qbo_connections{status="RECONNECT_REQUIRED"} 0',
      `qbo_paused_seconds{realm="${realmId}",effect="read"} 0`,
      `qbo_paused_seconds{realm="${realmId}",effect="write"} 0`,
      `qbo_calls_this_month{realm="${realmId}",effect="read"} 0`,
      `qbo_calls_this_month{realm="${realmId}",effect="write"} 0`,
    ]);
  });
});
