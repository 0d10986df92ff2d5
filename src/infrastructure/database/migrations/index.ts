import { InitialMigration } from './0001-initial.js';
import { QuickBooksTraffic } from './0002-quickbooks-traffic.js';

/** Every migration in order. Listed by hand: a migration that is not imported here would silently not run. */
export const migrations = [
  { name: '0001-initial', class: InitialMigration },
  { name: '0002-quickbooks-traffic', class: QuickBooksTraffic },
];
