import { globSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { PurchaseOrderAction } from '../../../src/domain/audit/purchase-order-action.js';

const ACTION = /\b(?:action: |ACTION = )'([a-z_]+\.[a-z_]+)'/g;
const ABOUT_OTHERS = /^(api_key|conference|qbo_connection|stripe_connection|webhook_event)\./;

test('every action on a purchase order that a use case writes is known to its history, and the other way round', () => {
  const sources = globSync('src/application/**/*.ts').map((file) => readFileSync(file, 'utf8'));
  const written = sources.flatMap((source) => [...source.matchAll(ACTION)].map(([, action]) => String(action)));
  const concerning = new Set(written.filter((action) => !ABOUT_OTHERS.test(action)));

  expect([...concerning].toSorted()).toEqual(Object.values(PurchaseOrderAction).toSorted());
});
