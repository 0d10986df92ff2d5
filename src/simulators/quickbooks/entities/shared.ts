import type { Recorded } from '../books/model.js';
import type { Work } from '../books/work.js';
import { metaTime } from '../dates.js';
import { invalidId, objectNotFound, periodClosed, requiredMissing, staleObject, subscriptionEnded } from '../faults.js';
import type { JsonObject } from '../json.js';

/** Ids are strings of digits; anything else is refused before it is looked up. */
export function checkId(id: string): string {
  if (!/^\d+$/.test(id)) throw invalidId(id);
  return id;
}

/** The object that an update is meant for. Any other sync token than the present one counts as stale. */
export function currentVersion<T extends Recorded<unknown>>(
  records: ReadonlyMap<string, T>,
  input: { Id?: string | null | undefined; SyncToken?: string | null | undefined },
  missing: (id: string) => Error = objectNotFound,
): T {
  if (input.Id == null) throw requiredMissing('Id');
  const record = records.get(checkId(input.Id));
  if (record === undefined) throw missing(input.Id);
  if (input.SyncToken == null) throw requiredMissing('SyncToken');
  if (input.SyncToken !== `${record.syncToken}`) throw staleObject();
  return record;
}

export function touch(record: Recorded<unknown>, work: Work): void {
  record.syncToken += 1;
  record.updatedAt = work.recordedAt;
}

/** A transaction moves its customer's LastUpdatedTime, but not the customer's sync token. */
export function touchCustomer(work: Work, customerId: string): void {
  const customer = work.books.customers.get(customerId);
  if (customer === undefined) return;
  customer.updatedAt = work.recordedAt;
  work.announce('Customer', customerId, 'updated');
}

export function refuseWhenEnded(work: Work): void {
  if (work.settings.subscriptionEnded) throw subscriptionEnded();
}

export function refuseClosedPeriod(work: Work, txnDate: string): void {
  const closedTo = work.settings.bookCloseDate;
  if (closedTo != null && txnDate <= closedTo) throw periodClosed();
}

/** The fields that open every object in an answer. */
export function envelope(record: Recorded<unknown>): JsonObject {
  return {
    domain: 'QBO',
    sparse: false,
    Id: record.id,
    SyncToken: `${record.syncToken}`,
    MetaData: { CreateTime: metaTime(record.createdAt), LastUpdatedTime: metaTime(record.updatedAt) },
  };
}

export function deletedAnswer(id: string): JsonObject {
  return { domain: 'QBO', status: 'Deleted', Id: id };
}
