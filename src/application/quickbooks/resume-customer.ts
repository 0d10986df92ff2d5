import { isCurrencyCode } from '../../domain/currency.js';
import type { ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import { closeAsRefused, isOver, latestAttempt, lockUntouched } from '../operations/provider-operations.js';
import { postponeOperation } from '../operations/settle-attempt.js';
import { type ProviderResult, succeeded } from '../ports/provider.js';
import { inTransaction } from '../transaction.js';
import { companySettings } from './company-settings.js';
import { type CustomerSearch, linkCustomer, readCustomerSubject } from './customer-link.js';
import { connectionOf } from './operation-connection.js';
import type { QboContext } from './qbo-context.js';
import { createCustomer, NOT_MADE, pickUsable } from './resolve-customer.js';

/**
 * Settles a customer whose creation got no answer and whose invoice nobody goes on with: links it when it is there, sends
 * it again while QuickBooks surely knows its request id, and gives it up once it can no longer be at work on it. The next
 * invoice makes a new one.
 */
export async function resumeCustomer(context: QboContext, operation: ProviderOperation): Promise<void> {
  const search = await searchOf(context, operation);
  if (!search.ok) return postpone(context, operation, search.failure.message);
  const { organizationName, currencyCode } = search.value.order;
  const names = context.accounting.customerNameCandidates(organizationName, currencyCode);
  const found = await context.accounting.findCustomersByName(connectionOf(operation).id, names);
  if (!found.ok) return postpone(context, operation, found.failure.message);
  const usable = pickUsable(names, found.value, search.value);
  // If it is sent again, then as it is stored; a refusal or another lost answer leaves it settled or unknown.
  if (usable) await linkCustomer(context, search.value, usable);
  else if (isOver(context, operation)) await giveUp(context, operation);
  else await createCustomer(context, search.value, organizationName);
}

/** The subject holds the name as it is compared, not as it was written; QuickBooks does not tell them apart. */
async function searchOf(context: QboContext, operation: ProviderOperation): Promise<ProviderResult<CustomerSearch>> {
  const connection = await connectionOf(operation).loadOrFail();
  const settings = await companySettings(context, connection);
  if (!settings.ok) return settings;
  const { currencyCode, normalizedName: organizationName } = readCustomerSubject(operation.subject);
  if (!isCurrencyCode(currencyCode)) throw new Error(`operation ${operation.id} names no currency`);
  const order = { organizationName, currencyCode, contactName: '', contactEmail: '', billingAddress: '' };
  return succeeded({ connection, order, settings: settings.value });
}

async function postpone(context: QboContext, operation: ProviderOperation, lastError: string): Promise<void> {
  await inTransaction(context.em, (tx) => postponeOperation(tx, context, latestAttempt(operation), { lastError }));
}

async function giveUp(context: QboContext, seen: ProviderOperation): Promise<void> {
  await inTransaction(context.em, async (tx) => {
    const operation = await lockUntouched(tx, latestAttempt(seen));
    if (operation) closeAsRefused(operation, NOT_MADE, context.clock.now());
  });
}
