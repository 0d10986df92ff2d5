import { z } from 'zod';
import type { EnvelopeMember } from '../../application/ports/accounting.js';
import { failed, type ProviderResult, type ProviderTrace } from '../../application/ports/provider.js';
import { readJsonFault } from './fault-reader.js';
import { classifyRefusal } from './faults.js';
import type { QboCall } from './http-client.js';

/** The service joins it with the id of an item, of at most ten characters, to one of at most fifty. */
const MAX_REQUEST_ID = 36;

/** The text of a batch that creates these invoices. Each body stands in it as it was worded, byte for byte. */
export function envelopeBody(members: readonly EnvelopeMember[]): string {
  const items = members.map(
    ({ item, body }) => `{"bId":${JSON.stringify(item)},"operation":"create","Invoice":${body}}`,
  );
  return `{"BatchItemRequest":[${items.join(',')}]}`;
}

export function createInvoicesCall(body: string, idempotencyKey: string): QboCall {
  if (idempotencyKey.length > MAX_REQUEST_ID) {
    throw new RangeError(`The idempotency key of a batch has at most ${MAX_REQUEST_ID} characters.`);
  }
  const operation = 'create_invoices';
  const contentType = 'application/json';
  return {
    operation,
    effect: 'write',
    isBatch: true,
    method: 'POST',
    path: 'batch',
    body,
    contentType,
    idempotencyKey,
  };
}

const storedEnvelope = z.object({ BatchItemRequest: z.array(z.object({ bId: z.string() })) });

/** The ids of the items in a text of `envelopeBody`. */
export function envelopeItems(body: string): string[] {
  return storedEnvelope.parse(JSON.parse(body)).BatchItemRequest.map(({ bId }) => bId);
}

const itemResponse = z.looseObject({ bId: z.string() });
const batchResponse = z.object({ BatchItemResponse: z.array(z.unknown()) });

export type BatchItemResponse = z.output<typeof itemResponse>;

/** The answers by the ids of their items, in whatever order they came. Undefined: it is no answer to a batch. */
export function readBatchResponse(json: unknown): ReadonlyMap<string, readonly BatchItemResponse[]> | undefined {
  const parsed = batchResponse.safeParse(json);
  if (!parsed.success) return undefined;
  // One that has no id, or makes no sense at all, must not spoil the others.
  const responses = parsed.data.BatchItemResponse.flatMap((response) => itemResponse.safeParse(response).data ?? []);
  return Map.groupBy(responses, ({ bId }) => bId);
}

/** What came of one item: of an answer that is missing, given twice or not to be understood, nobody knows. */
export async function readItem<T>(
  answers: readonly BatchItemResponse[],
  trace: ProviderTrace,
  read: (answer: BatchItemResponse) => Promise<T | undefined>,
): Promise<ProviderResult<T>> {
  const [answer, another] = answers;
  if (!answer) return unknown('QuickBooks did not say what became of this invoice.', trace);
  if (another) return unknown('QuickBooks answered twice about this invoice.', trace);
  const fault = readJsonFault(answer);
  if (fault) {
    const refusal = classifyRefusal({ status: 200, fault, effect: 'write', trace });
    // A token that was good enough for the whole was not refused for a part of it.
    return refusal.kind === 'failed' ? failed(refusal.failure) : unknown(refusal.message, trace);
  }
  try {
    const value = await read(answer);
    if (value === undefined) return unknown('QuickBooks gave an answer that cannot be understood.', trace);
    return { ok: true, value, trace };
  } catch {
    // Whatever is wrong with this one, or with the database meanwhile: the others were answered.
    return unknown('The answer of QuickBooks could not be read here.', trace);
  }
}

function unknown(message: string, trace: ProviderTrace): ProviderResult<never> {
  return failed({ kind: 'unknown', message, trace });
}
