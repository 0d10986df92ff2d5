import { z } from 'zod';
import type { RememberedAnswer } from '../books/model.js';
import { fingerprint, recall, remember } from '../books/request-memory.js';
import { Work } from '../books/work.js';
import { businessRule, invalidProperty, throttled, unsupported, validationFault } from '../faults.js';
import { isObject, type JsonObject, parseJson, toJson } from '../json.js';
import { executeQuery } from '../query/execute.js';
import { faultBody, faultOf } from './answer.js';
import { type Endpoint, endpoints, write } from './endpoints.js';
import type { FaultRule } from './fault-rules.js';

const MAX_ITEMS = 30;
/** Of the request id and the item's id together, and of each. */
const MAX_KEY = 50;
const MAX_REQUEST_ID = 36;
const MAX_ITEM_ID = 10;

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

export interface BatchCall {
  readonly requestId: string | undefined;
  /** Strikes some of the items. */
  readonly rule: FaultRule | undefined;
}

/** Not a transaction: items succeed or fail one by one inside an answer of 200. */
export function runBatch(work: Work, body: unknown, { requestId, rule }: BatchCall): JsonObject {
  const parsed = batchRequest.safeParse(body);
  if (!parsed.success) throw invalidProperty('BatchItemRequest');
  const items = parsed.data.BatchItemRequest;
  if (items.length > MAX_ITEMS) {
    const detail = `The maximum number of batch items in a single request is ${MAX_ITEMS}.`;
    throw validationFault('1040', 'Batch size exceeds allowed limit', detail);
  }
  if (requestId !== undefined && requestId.length > MAX_REQUEST_ID) {
    throw validationFault('2130', 'Invalid Request Id Format', `A batch takes at most ${MAX_REQUEST_ID} characters.`);
  }
  const answers = items.flatMap((item, index) => {
    const struckBy = rule?.items?.includes(index + 1) ? rule : undefined;
    return answersTo(work, item, requestId, struckBy).map((answer) => ({ ...answer, bId: item.bId }));
  });
  // Nobody promises an order, so whoever relies on one can be found out.
  return { BatchItemResponse: work.settings.shuffleBatchAnswers ? answers.toReversed() : answers };
}

/** One answer as a rule; none, or another one, for an item that is struck. */
function answersTo(
  work: Work,
  item: BatchItem,
  requestId: string | undefined,
  rule: FaultRule | undefined,
): readonly JsonObject[] {
  if (!rule) return [answerItem(work, item, requestId)];
  const answer = rule.when === 'after' || rule.kind === 'repeat' ? answerItem(work, item, requestId) : undefined;
  if (rule.kind === 'fault') return [{ Fault: faultBody(itemFault(rule)) }];
  if (rule.kind === 'omit' || !answer) return [];
  return rule.kind === 'repeat' ? [answer, answer] : [answer];
}

function itemFault({ code = '10000', message = 'Injected fault', detail = 'injected fault' }: FaultRule) {
  return validationFault(code, message, detail, '').fault;
}

/** An item counts as repeated when both the request id and its own id are. */
function answerItem(work: Work, item: BatchItem, requestId: string | undefined): JsonObject {
  const key = requestId === undefined ? undefined : `${requestId}${item.bId}`;
  try {
    if (key !== undefined && key.length > MAX_KEY) throw requestIdTooLong(key);
    if (item.bId.length > MAX_ITEM_ID) throw invalidProperty('bId');
    const print = fingerprint(toJson(item));
    const known = key === undefined ? undefined : recall(work, key, print);
    if (known !== undefined && work.settings.failRepeatedBatchItems) throw businessRule(TROUBLE);
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

/** What a second use of the same ids in a batch was once answered with. */
const TROUBLE =
  'An unexpected error occurred while accessing or saving your data. Please wait a few minutes and try again.';

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
