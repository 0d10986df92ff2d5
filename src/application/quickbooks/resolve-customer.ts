import { setTimeout as delay } from 'node:timers/promises';
import { UniqueConstraintViolationException } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { OperationKind, OperationState, ProviderOperation } from '../../domain/operation/provider-operation.entity.js';
import type { PurchaseOrder } from '../../domain/purchase-order/purchase-order.entity.js';
import type { QboCompanySettings, QboConnection } from '../../domain/quickbooks/qbo-connection.entity.js';
import { normalizeOrganizationName, QboCustomer } from '../../domain/quickbooks/qbo-customer.entity.js';
import { beginAttempt, claimOperation, closeAsRefused, isReplayable } from '../operations/provider-operations.js';
import { openFailure, settleAttempt } from '../operations/settle-attempt.js';
import type { ProviderCustomer } from '../ports/accounting.js';
import { failed, type ProviderFailure, type ProviderResult, succeeded } from '../ports/provider.js';
import { inTransaction, recordInTransaction } from '../transaction.js';
import type { QboContext } from './qbo-context.js';

/** How often somebody who waits for another process's customer looks for it. */
const POLL_MS = 100;

/** What is known of the organisation. */
export type Buyer = Pick<
  PurchaseOrder,
  'organizationName' | 'currencyCode' | 'contactName' | 'contactEmail' | 'billingAddress'
>;

export interface CustomerSearch {
  readonly connection: QboConnection;
  readonly order: Buyer;
  readonly settings: QboCompanySettings;
}

export type CustomerFailure = ProviderFailure | { readonly kind: 'in_progress' };

export type CustomerResult =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly failure: CustomerFailure };

/**
 * QuickBooks' id of the customer that stands for the purchase order's organisation in its currency: the linked one,
 * else an active one of that name, else a new one. A name that anyone else bears (a vendor, an inactive customer, a
 * customer in another currency) is left alone and the next candidate name is used.
 */
export async function resolveCustomer(context: QboContext, search: CustomerSearch): Promise<CustomerResult> {
  const linked = await findLink(context.em, search);
  if (linked) return { ok: true, value: linked.externalId };
  const names = context.accounting.customerNameCandidates(search.order.organizationName, search.order.currencyCode);
  const found = await context.accounting.findCustomersByName(search.connection.id, names);
  if (!found.ok) return found;
  const usable = pickUsable(names, found.value, search);
  if (usable) return linkCustomer(context, search, usable);
  const taken = new Set(found.value.map((customer) => customer.displayName.toLowerCase()));
  return createUnderFreeName(
    context,
    search,
    names.filter((name) => !taken.has(name.toLowerCase())),
  );
}

export function pickUsable(
  names: readonly string[],
  found: readonly ProviderCustomer[],
  { order, settings }: CustomerSearch,
): ProviderCustomer | undefined {
  const isUsable = (customer: ProviderCustomer) =>
    customer.active && (customer.currency ?? settings.homeCurrency) === order.currencyCode;
  return names
    .map((name) => found.find((customer) => customer.displayName.toLowerCase() === name.toLowerCase()))
    .find((customer) => customer !== undefined && isUsable(customer));
}

async function createUnderFreeName(
  context: QboContext,
  search: CustomerSearch,
  names: readonly string[],
): Promise<CustomerResult> {
  let last: CustomerFailure = noFreeName(search.order.organizationName);
  for (const displayName of names) {
    const created = await createCustomer(context, search, displayName);
    if (created === 'busy') return waitForLink(context, search);
    if (created.ok) return linkCustomer(context, search, created.value);
    last = created.failure;
    if (last.kind !== 'rejected' || last.reason !== 'duplicate_name') break;
  }
  return { ok: false, failure: last };
}

function noFreeName(organizationName: string): ProviderFailure {
  return {
    kind: 'rejected',
    reason: 'duplicate_name',
    code: undefined,
    message: `every name derived from "${organizationName}" is taken in QuickBooks.`,
    trace: {},
  };
}

/** Creates it, or goes on with the attempt that is open. */
export async function createCustomer(
  context: QboContext,
  search: CustomerSearch,
  displayName: string,
): Promise<ProviderResult<ProviderCustomer> | 'busy'> {
  const started = await beginUnlessTaken(context, search, displayName);
  if (started === 'busy') return 'busy';
  const { attempt, body } = started;
  const answer = await context.accounting.createCustomer(search.connection.id, body, attempt.operationId);
  const { result, isProven } = await resolveNameTaken(context, search, { displayName, answer });
  return recordInTransaction(context, async (tx) => {
    const settlement = await settleAttempt(tx, context, { attempt, result, isProven });
    return result.ok ? result : failed(openFailure(result.failure, settlement));
  });
}

interface CustomerAnswer {
  readonly displayName: string;
  readonly answer: ProviderResult<ProviderCustomer>;
}

/** A name that is taken is looked up again: an earlier sending, or somebody else just now, may have made the customer. */
async function resolveNameTaken(
  context: QboContext,
  search: CustomerSearch,
  { displayName, answer }: CustomerAnswer,
): Promise<{ result: ProviderResult<ProviderCustomer>; isProven: boolean }> {
  const isTaken = !answer.ok && answer.failure.kind === 'rejected' && answer.failure.reason === 'duplicate_name';
  if (!isTaken) return { result: answer, isProven: false };
  const found = await context.accounting.findCustomersByName(search.connection.id, [displayName]);
  if (!found.ok) return { result: answer, isProven: false };
  const usable = pickUsable([displayName], found.value, search);
  return { result: usable ? succeeded(usable, found.trace) : answer, isProven: true };
}

/** Of two processes that claim the same customer at the same time, the unique indexes let one through. */
async function beginUnlessTaken(context: QboContext, search: CustomerSearch, displayName: string) {
  try {
    return await inTransaction(context.em, (tx) => begin(tx, context, search, displayName));
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) return 'busy';
    throw error;
  }
}

/**
 * An earlier attempt whose outcome is unknown is repeated as it was, as long as QuickBooks surely knows its request id.
 * Later it is given up: the look-up before this showed that it made no customer.
 */
async function begin(tx: EntityManager, context: QboContext, search: CustomerSearch, displayName: string) {
  const request = {
    kind: OperationKind.CREATE_CUSTOMER,
    subject: subjectOf(search),
    connectionId: search.connection.id,
    body: context.accounting.prepareCustomer(draft(search, displayName)),
  };
  const claim = await claimOperation(tx, context, request);
  if (claim.status === 'busy') return 'busy';
  const { operation } = claim;
  if (!isReplayable(context, operation)) {
    closeAsRefused(operation, NOT_MADE, context.clock.now());
    await tx.flush();
    return begin(tx, context, search, displayName);
  }
  const body = operation.body ?? request.body;
  return { attempt: beginAttempt(context, operation, body), body };
}

export const NOT_MADE = 'QuickBooks has no customer of this name: it was not made.';

function draft({ order, settings }: CustomerSearch, displayName: string) {
  return {
    displayName,
    organizationName: order.organizationName,
    contactName: order.contactName,
    email: order.contactEmail,
    billingAddress: order.billingAddress,
    currency: settings.multiCurrency ? order.currencyCode : undefined,
  };
}

async function waitForLink(context: QboContext, search: CustomerSearch): Promise<CustomerResult> {
  for (let waitedMs = 0; waitedMs < context.waits.customerWaitMs; waitedMs += POLL_MS) {
    await delay(POLL_MS);
    const linked = await findLink(context.em, search);
    if (linked) return { ok: true, value: linked.externalId };
  }
  return { ok: false, failure: { kind: 'in_progress' } };
}

/** Remembers the customer, and closes an operation that may have made it. The first link to be stored stays. */
export async function linkCustomer(
  context: QboContext,
  search: CustomerSearch,
  { externalId, displayName }: ProviderCustomer,
): Promise<CustomerResult> {
  const now = context.clock.now();
  await inTransaction(context.em, async (tx) => {
    await tx.execute(
      `insert into qbo_customer (id, connection_id, normalized_name, currency_code, external_id, display_name, created_at)
       values (?, ?, ?, ?, ?, ?, ?) on conflict (connection_id, normalized_name, currency_code) do nothing`,
      [
        context.ids.next('cust'),
        search.connection.id,
        normalizeOrganizationName(search.order.organizationName),
        search.order.currencyCode,
        externalId,
        displayName,
        now,
      ],
    );
    await tx.nativeUpdate(
      ProviderOperation,
      {
        kind: OperationKind.CREATE_CUSTOMER,
        subject: subjectOf(search),
        state: { $in: [OperationState.IN_FLIGHT, OperationState.UNKNOWN] },
      },
      { state: OperationState.DONE, updatedAt: now },
    );
  });
  const stored = await findLink(context.em, search);
  return succeeded(stored?.externalId ?? externalId);
}

async function findLink(em: EntityManager, { connection, order }: CustomerSearch): Promise<QboCustomer | null> {
  return em.fork().findOne(QboCustomer, {
    connection: connection.id,
    normalizedName: normalizeOrganizationName(order.organizationName),
    currencyCode: order.currencyCode,
  });
}

/** Makes the next invoice look the customer up anew, because QuickBooks refused it: it was deactivated or merged. */
export async function forgetCustomer(
  em: EntityManager,
  connection: QboConnection,
  order: PurchaseOrder,
): Promise<void> {
  const normalizedName = normalizeOrganizationName(order.organizationName);
  await em.nativeDelete(QboCustomer, { connection: connection.id, normalizedName, currencyCode: order.currencyCode });
}

function subjectOf({ connection, order }: CustomerSearch): string {
  return `${connection.id} ${order.currencyCode} ${normalizeOrganizationName(order.organizationName)}`;
}

export function readCustomerSubject(subject: string): { currencyCode: string; normalizedName: string } {
  const [, currencyCode = '', ...words] = subject.split(' ');
  return { currencyCode, normalizedName: words.join(' ') };
}
