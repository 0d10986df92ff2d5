import { z } from 'zod';
import type { RememberedAnswer } from '../books/model.js';
import { fingerprint, recall, remember } from '../books/request-memory.js';
import { Work } from '../books/work.js';
import { businessRule, invalidProperty, throttled, unsupported, validationFault } from '../faults.js';
import { isObject, type JsonObject, parseJson, toJson } from '../json.js';
import { executeQuery } from '../query/execute.js';
import { faultBody, faultOf } from './answer.js';
import { type Endpoint, endpoints, write } from './endpoints.js';

const MAX_ITEMS = 30;
const MAX_REQUEST_ID = 50;

const batchRequest = z.strictObject({
  BatchItemRequest: z.array(
    z.looseObject({
      bId: z.string(),
      operation: z.string().optional(),
      optionsData: z.string().optional(),
      Query: z.string().optional(),
    }),
  ),
});
type BatchItem = z.output<typeof batchRequest>['BatchItemRequest'][number];

/** Not a transaction: items succeed or fail one by one inside an answer of 200. */
export function runBatch(work: Work, body: unknown, requestId: string | undefined): JsonObject {
  const parsed = batchRequest.safeParse(body);
  if (!parsed.success) throw invalidProperty('BatchItemRequest');
  const items = parsed.data.BatchItemRequest;
  if (items.length > MAX_ITEMS) {
    const detail = `The maximum number of batch items in a single request is ${MAX_ITEMS}.`;
    throw validationFault('1040', 'Batch size exceeds allowed limit', detail);
  }
  return { BatchItemResponse: items.map((item) => ({ ...answerItem(work, item, requestId), bId: item.bId })) };
}

/** An item counts as repeated when both the request id and its own id are. */
function answerItem(work: Work, item: BatchItem, requestId: string | undefined): JsonObject {
  const key = requestId === undefined ? undefined : `${requestId}${item.bId}`;
  try {
    if (key !== undefined && key.length > MAX_REQUEST_ID) throw requestIdTooLong(key);
    const print = fingerprint(toJson(item));
    const known = key === undefined ? undefined : recall(work, key, print);
    if (known !== undefined) return remembered(known);
    const answer = runItem(work, item);
    if (key !== undefined && item.Query === undefined) {
      remember(work, key, print, { status: 200, contentType: 'application/json', body: toJson(answer) });
    }
    return answer;
  } catch (error) {
    return { Fault: faultBody(faultOf(error)) };
  }
}

function remembered(known: RememberedAnswer): JsonObject {
  const answer = parseJson(known.body);
  return isObject(answer) ? answer : {};
}

function runItem(work: Work, item: BatchItem): JsonObject {
  const options = new Set((item.optionsData ?? '').split(',').filter((option) => option !== ''));
  if (item.Query !== undefined) {
    if (work.settings.monthlyReadsExhausted) throw throttled();
    return { QueryResponse: executeQuery(work, item.Query, options) };
  }
  const [endpoint, body] = target(item);
  return write(work, endpoint, body, { operation: item.operation, include: options });
}

function target(item: BatchItem): [Endpoint, unknown] {
  for (const endpoint of endpoints.values()) {
    if (item[endpoint.entity] !== undefined) return [endpoint, item[endpoint.entity]];
  }
  throw unsupported('with this batch item');
}

export function requestIdTooLong(requestId: string): Error {
  return businessRule(
    'You cannot enter more than 50 characters in the request_id field. ' +
      `You tried entering ${requestId.slice(0, 10)}..., which is ${requestId.length} characters.`,
  );
}
