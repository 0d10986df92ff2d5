import { setTimeout as delay } from 'node:timers/promises';
import { UniqueConstraintViolationException } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { OperationKind } from '../../domain/operation/provider-operation.entity.js';
import {
  type Attempt,
  beginAttempt,
  claimOperation,
  closeAsRenewed,
  isOver,
  isReplayable,
  latestAttempt,
  mayBeUnderWay,
} from '../operations/provider-operations.js';
import { openFailure, postponeOperation, type SettledAttempt, settleAttempt } from '../operations/settle-attempt.js';
import type { ProviderCustomer } from '../ports/accounting.js';
import { failed, type ProviderFailure, type ProviderResult, succeeded } from '../ports/provider.js';
import { inTransaction, recordInTransaction } from '../transaction.js';
import {
  type Buyer,
  type CustomerSearch,
  findLink,
  linkCustomer,
  linkedId,
  storeLink,
  subjectOf,
} from './customer-link.js';
import type { QboContext } from './qbo-context.js';

/** How often somebody who waits for another process's customer looks for it. */
const POLL_MS = 100;

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
  if (!found.ok) return failed(notLookedUp(found.failure, search.order));
  const usable = pickUsable(names, found.value, search);
  if (usable) return succeeded(await linkCustomer(context, search, usable));
  const taken = new Set(found.value.map((customer) => customer.displayName.toLowerCase()));
  return createUnderFreeName(
    context,
    search,
    names.filter((name) => !taken.has(name.toLowerCase())),
  );
}

/**
 * While reads are paused, only organisations whose customer is known can be invoiced: making a customer without looking
 * would double one that bears another of the candidate names.
 */
function notLookedUp(failure: ProviderFailure, { organizationName }: Buyer): ProviderFailure {
  if (failure.kind !== 'unavailable' || !failure.isPaused) return failure;
  const why = `"${organizationName}" has no known customer in this currency yet, so one must be looked up first.`;
  return { ...failure, message: `${failure.message} ${why}` };
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
    if (created.ok) return created;
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

/**
 * Creates it, or goes on with the attempt that is open. Returns QuickBooks' id of the customer, which is linked together
 * with the recording: nobody who comes after a crash can miss it and make another one.
 */
export async function createCustomer(
  context: QboContext,
  search: CustomerSearch,
  displayName: string,
): Promise<ProviderResult<string> | 'busy'> {
  const begun = await beginUnlessTaken(context, search, displayName);
  if (begun === 'busy') return 'busy';
  if ('failure' in begun) return begun;
  const { attempt, body } = begun;
  const answer = await context.accounting.createCustomer(search.connection.id, body, attempt.operationId);
  const settled = await resolveNameTaken(context, search, { attempt, result: answer });
  const { result } = settled;
  const settlement = await recordInTransaction(context, async (tx) => {
    const recorded = await settleAttempt(tx, context, settled);
    if (result.ok) await storeLink(tx, context, search, result.value);
    return recorded;
  });
  if (!result.ok) return failed(openFailure(result.failure, settlement));
  return succeeded(await linkedId(context.em, search, result.value), result.trace);
}

interface AnsweredCustomer {
  readonly attempt: Attempt;
  readonly result: ProviderResult<ProviderCustomer>;
}

/**
 * A name that is taken is looked up again: an earlier sending, or somebody else just now, may have made the customer. That
 * sending can have been worded for another order, so every name that it can have used is looked up.
 */
async function resolveNameTaken(
  context: QboContext,
  search: CustomerSearch,
  sent: AnsweredCustomer,
): Promise<AnsweredCustomer & Pick<SettledAttempt, 'isProven' | 'didNothing'>> {
  const { attempt, result } = sent;
  if (result.ok || result.failure.kind !== 'rejected' || result.failure.reason !== 'duplicate_name') return sent;
  const refused = { ...sent, didNothing: true };
  const { organizationName, currencyCode } = search.order;
  const names = context.accounting.customerNameCandidates(organizationName, currencyCode);
  const found = await context.accounting.findCustomersByName(search.connection.id, names);
  if (!found.ok) return { ...refused, isProven: false };
  const usable = pickUsable(names, found.value, search);
  if (usable) return { attempt, result: succeeded(usable, found.trace) };
  return { ...refused, isProven: !mayBeUnderWay(context, attempt.sentBefore) };
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
 * An earlier attempt whose outcome is unknown is repeated as it was, as long as QuickBooks surely knows its request id. Then
 * nothing is sent, so that its last sending grows old, until QuickBooks can no longer be at work on it. After that it is
 * given up: the look-up before this showed that it made no customer.
 */
async function begin(tx: EntityManager, context: QboContext, search: CustomerSearch, displayName: string) {
  const request = {
    kind: OperationKind.CREATE_CUSTOMER,
    subject: subjectOf(search),
    connection: { provider: 'QBO', id: search.connection.id } as const,
    body: context.accounting.prepareCustomer(draft(search, displayName)),
  };
  const claim = await claimOperation(tx, context, request);
  if (claim.status === 'busy') return 'busy';
  const { operation } = claim;
  if (isOver(context, operation)) {
    closeAsRenewed(operation, NOT_MADE, context.clock.now());
    await tx.flush();
    return begin(tx, context, search, displayName);
  }
  if (!isReplayable(context, operation)) {
    await postponeOperation(tx, context, latestAttempt(operation), { lastError: NOT_SENT_NOW.message });
    return failed(NOT_SENT_NOW);
  }
  const body = operation.body ?? request.body;
  return { attempt: beginAttempt(context, operation, body), body };
}

export const NOT_MADE = 'QuickBooks has no customer of this name: it was not made.';

const NOT_SENT_NOW: ProviderFailure = {
  kind: 'unknown',
  message: 'The customer is not sent again as long as QuickBooks may be at work on an earlier sending.',
  trace: {},
};

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
