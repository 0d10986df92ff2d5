import { InitialMigration } from './0001-initial.js';
import { QuickBooksTraffic } from './0002-quickbooks-traffic.js';
import { ReadingsMigration } from './0003-readings.js';
import { ProviderCreditsMigration } from './0004-provider-credits.js';
import { SettledOperationsMigration } from './0005-settled-operations.js';
import { WebhookEventStatesMigration } from './0006-webhook-event-states.js';
import { RealSendingsMigration } from './0007-real-sendings.js';
import { UnexplainedBalancesMigration } from './0008-unexplained-balances.js';
import { RefreshedAtMigration } from './0009-refreshed-at.js';
import { StripeMigration } from './0010-stripe.js';
import { VoidPurposesMigration } from './0011-void-purposes.js';
import { ProviderRequestIdMigration } from './0012-provider-request-id.js';
import { CustomerCreditMigration } from './0013-customer-credit.js';
import { ApiKeyGrantsMigration } from './0014-api-key-grants.js';
import { AuditChainMigration } from './0015-audit-chain.js';
import { StoredSumsAndListsMigration } from './0016-stored-sums-and-lists.js';
import { PurchaseOrderChangesMigration } from './0017-purchase-order-changes.js';
import { BulkInvoicingMigration } from './0018-bulk-invoicing.js';
import { LetterheadMigration } from './0019-letterhead.js';
import { OperationRequestersMigration } from './0020-operation-requesters.js';
import { UnneededChangeTriggersMigration } from './0021-unneeded-change-triggers.js';
import { IndexesOfListsMigration } from './0022-indexes-of-lists.js';

/** Every migration in order. Listed by hand: a migration that is not imported here would silently not run. */
export const migrations = [
  { name: '0001-initial', class: InitialMigration },
  { name: '0002-quickbooks-traffic', class: QuickBooksTraffic },
  { name: '0003-readings', class: ReadingsMigration },
  { name: '0004-provider-credits', class: ProviderCreditsMigration },
  { name: '0005-settled-operations', class: SettledOperationsMigration },
  { name: '0006-webhook-event-states', class: WebhookEventStatesMigration },
  { name: '0007-real-sendings', class: RealSendingsMigration },
  { name: '0008-unexplained-balances', class: UnexplainedBalancesMigration },
  { name: '0009-refreshed-at', class: RefreshedAtMigration },
  { name: '0010-stripe', class: StripeMigration },
  { name: '0011-void-purposes', class: VoidPurposesMigration },
  { name: '0012-provider-request-id', class: ProviderRequestIdMigration },
  { name: '0013-customer-credit', class: CustomerCreditMigration },
  { name: '0014-api-key-grants', class: ApiKeyGrantsMigration },
  { name: '0015-audit-chain', class: AuditChainMigration },
  { name: '0016-stored-sums-and-lists', class: StoredSumsAndListsMigration },
  { name: '0017-purchase-order-changes', class: PurchaseOrderChangesMigration },
  { name: '0018-bulk-invoicing', class: BulkInvoicingMigration },
  { name: '0019-letterhead', class: LetterheadMigration },
  { name: '0020-operation-requesters', class: OperationRequestersMigration },
  { name: '0021-unneeded-change-triggers', class: UnneededChangeTriggersMigration },
  { name: '0022-indexes-of-lists', class: IndexesOfListsMigration },
];
