import type { Account } from '../books/model.js';
import { type KeyedRequest, recall, remember } from '../books/request-memory.js';
import type { Work } from '../books/work.js';
import { InvalidParameters, invalidKey, invalidRequest, keyInUse, missingKey, unrecognizedUrl } from '../errors.js';
import { parseForm } from '../form.js';
import { checkParams } from '../params.js';
import { findEndpoint } from '../resources/endpoints.js';
import { API_VERSION } from '../resources/events.js';
import { checkExpansions, expandAnswer } from '../resources/expand.js';
import { type Simulation, workIn } from '../simulation.js';
import { type Answer, errorAnswer, errorOf, objectAnswer } from './answer.js';

const MAX_KEY = 255;

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  /** Of the query of a read, or of the body of a write. */
  readonly form: string;
  readonly requestId: string;
  /** Empty when there is none. */
  readonly secretKey: string;
  /** Whose key it is. */
  readonly account: Account | undefined;
  readonly idempotencyKey: string | undefined;
  readonly apiVersion: string | undefined;
  readonly connectedAccount: string | undefined;
  /** Another call with the same idempotency key is not answered yet. */
  readonly overlapping: boolean;
}

export interface ApiOutcome {
  readonly answer: Answer;
  /** The idempotency key was known: nothing was done, the first answer was repeated. */
  readonly replayed: boolean;
}

/** Answers one request from beginning to end without waiting for anything, which makes every request atomic. */
export function answerApi(simulation: Simulation, request: ApiRequest): ApiOutcome {
  try {
    const account = authenticate(request);
    checkHeaders(request);
    return run(simulation, account, request);
  } catch (error) {
    return { answer: errorAnswer(errorOf(error), request.requestId), replayed: false };
  }
}

function authenticate({ account, secretKey }: ApiRequest): Account {
  if (secretKey === '') throw missingKey();
  if (account === undefined) throw invalidKey(secretKey);
  return account;
}

function checkHeaders({ apiVersion, idempotencyKey, connectedAccount }: ApiRequest): void {
  // Only this version's objects are modelled.
  if (apiVersion !== undefined && apiVersion !== API_VERSION) {
    throw invalidRequest(`Invalid Stripe API version: ${apiVersion}`);
  }
  if (connectedAccount !== undefined) {
    const message = `The provided key does not have access to account '${connectedAccount}' (or that account does not exist).`;
    throw invalidRequest(message, { status: 403, code: 'account_invalid' });
  }
  if (idempotencyKey !== undefined && idempotencyKey.length > MAX_KEY) {
    throw invalidRequest(`Idempotency-Key must be at most ${MAX_KEY} characters long.`);
  }
}

function run(simulation: Simulation, account: Account, request: ApiRequest): ApiOutcome {
  const { requestId, idempotencyKey, overlapping } = request;
  const work = workIn(simulation, account, { requestId, idempotencyKey: idempotencyKey ?? null });
  const keyed = keyedRequest(request);
  if (keyed !== undefined && overlapping) throw keyInUse(keyed.key);
  const known = keyed === undefined ? undefined : recall(work, keyed);
  if (known !== undefined) return { answer: repeated(known.status, known.body, known.requestId), replayed: true };
  try {
    const { answer, isKept } = perform(work, request);
    if (keyed !== undefined && isKept) {
      remember(work, keyed, { status: answer.status, body: `${answer.body}`, requestId });
    }
    return { answer, replayed: false };
  } finally {
    simulation.published(account, work.events);
  }
}

/** Reads and deletions repeat themselves without harm: their keys are not looked at. */
export function keyedRequest({ method, path, form, idempotencyKey }: ApiRequest): KeyedRequest | undefined {
  if (method !== 'POST' || idempotencyKey === undefined) return undefined;
  return { key: idempotencyKey, endpoint: path, form };
}

function repeated(status: number, body: string, requestId: string): Answer {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'idempotent-replayed': 'true',
    'original-request': requestId,
  };
  if (status === 500) headers['stripe-should-retry'] = 'false';
  return { status, headers, body };
}

/** Once the parameters are accepted it has begun, and its result is kept, whatever it is. */
function perform(work: Work, request: ApiRequest): { answer: Answer; isKept: boolean } {
  try {
    return { answer: objectAnswer(dispatch(work, request)), isKept: true };
  } catch (error) {
    return { answer: errorAnswer(errorOf(error), request.requestId), isKept: !(error instanceof InvalidParameters) };
  }
}

function dispatch(work: Work, { method, path, form }: ApiRequest) {
  const found = findEndpoint(method, path);
  if (found === undefined) throw unrecognizedUrl(method, path);
  const { endpoint, id } = found;
  const params = checkParams(endpoint.params, parseForm(form));
  const expand = params.expand ?? [];
  checkExpansions(endpoint, expand);
  return expandAnswer(work, endpoint, endpoint.run(work, params, id), expand);
}
