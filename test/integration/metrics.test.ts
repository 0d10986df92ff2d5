import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { MikroORM } from '@mikro-orm/postgresql';
import { QboEnvironment } from '../../src/domain/quickbooks/qbo-connection.entity.js';
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

  test('for each connected company, also of two environments with one realm id', async () => {
    const { realmId } = await insertConnection(orm);
    const production = { id: 'qbo_production', environment: QboEnvironment.PRODUCTION, realmId };
    await insertConnection(orm, { ...production, readsPausedUntil: new Date(Date.now() + 3_600_000) });
    const lines = await linesOf('qbo_connections', 'qbo_paused', 'qbo_calls', 'qbo_refresh');
    const [sandbox, live] = ['SANDBOX', 'PRODUCTION'].map((name) => `environment="${name}",realm="${realmId}"`);
    expect(lines.map((line) => line.replace(/ -?[1-9]\S*$/, ' n')).toSorted()).toEqual(
      [
        'qbo_connections{status="CONNECTED"} n',
        'qbo_connections{status="RECONNECT_REQUIRED"} 0',
        `qbo_refresh_token_seconds_left{${sandbox},limit="unused"} n`,
        `qbo_refresh_token_seconds_left{${live},limit="unused"} n`,
        `qbo_paused_seconds{${sandbox},effect="read"} 0`,
        `qbo_paused_seconds{${sandbox},effect="write"} 0`,
        `qbo_paused_seconds{${live},effect="read"} n`,
        `qbo_paused_seconds{${live},effect="write"} 0`,
        `qbo_calls_this_month{${sandbox},effect="read"} 0`,
        `qbo_calls_this_month{${sandbox},effect="write"} 0`,
        `qbo_calls_this_month{${live},effect="read"} 0`,
        `qbo_calls_this_month{${live},effect="write"} 0`,
      ].toSorted(),
    );
  });
});
