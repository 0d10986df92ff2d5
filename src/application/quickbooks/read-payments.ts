import type { Found, ProviderPayment } from '../ports/accounting.js';
import { type ProviderResult, succeeded } from '../ports/provider.js';
import type { QboContext } from './qbo-context.js';

/**
 * Reads payments so that one missing from the result does not exist. A query may show a payment late, and one bad answer
 * must not take hundreds for deleted: each one that it does not show is read by its id, too, if it needs that proof.
 */
export async function readPayments(
  { accounting }: QboContext,
  connectionId: string,
  ids: readonly string[],
  needsProof: (id: string) => boolean = () => true,
): Promise<ProviderResult<Found<ProviderPayment>>> {
  const read = await accounting.readPayments(connectionId, ids);
  if (!read.ok || ids.length === 1) return read;
  const parts = [read.value];
  const shown = idsOf(read.value);
  for (const id of ids.filter((each) => !shown.has(each) && needsProof(each))) {
    const single = await accounting.readPayments(connectionId, [id]);
    if (!single.ok) return single;
    parts.push(single.value);
  }
  const objects = parts.flatMap((part) => part.objects);
  const unreadableIds = parts.flatMap((part) => part.unreadableIds);
  return succeeded({ objects, unreadableIds }, read.trace, read.asOf);
}

function idsOf({ objects, unreadableIds }: Found<ProviderPayment>): Set<string> {
  return new Set([...objects.map(({ externalId }) => externalId), ...unreadableIds]);
}
