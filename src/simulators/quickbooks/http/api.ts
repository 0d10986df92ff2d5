import type { RememberedAnswer } from '../books/model.js';
import { fingerprint, recall, remember } from '../books/request-memory.js';
import { Work } from '../books/work.js';
import { presentCompanyInfo, presentPreferences } from '../entities/company.js';
import { findInvoice } from '../entities/invoices.js';
import {
  authorizationFailed,
  duplicateRequestId,
  invalidProperty,
  type ProviderFault,
  throttled,
  unsupported,
  validationFault,
} from '../faults.js';
import { type JsonObject, parseJson } from '../json.js';
import { executeQuery } from '../query/execute.js';
import { type Simulation, timeIn } from '../simulation.js';
import { type Answer, entityAnswer, faultAnswer, faultOf, wantsJson } from './answer.js';
import { requestIdTooLong, runBatch } from './batch.js';
import { changedSince } from './change-data-capture.js';
import { endpoints, write } from './endpoints.js';
import type { FaultRule } from './fault-rules.js';
import { pdfOf } from './pdf.js';

export interface ApiRequest {
  readonly method: string;
  readonly realmId: string;
  /** What follows the realm in the path. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  readonly accept: string | undefined;
  readonly contentType: string | undefined;
  readonly body: string;
  /** Another call with the same request id is not answered yet. */
  readonly overlapping: boolean;
  /** Strikes some items of this batch. */
  readonly itemRule?: FaultRule | undefined;
}

export interface ApiOutcome {
  readonly answer: Answer;
  /** The request id was known: nothing was done, the first answer was repeated. */
  readonly replayed: boolean;
  /** The limit that kept it from being done. */
  readonly refusedBy?: string | undefined;
}

/** Answers one request from beginning to end without waiting for anything, which makes every request atomic. */
export function answerApi(simulation: Simulation, request: ApiRequest): ApiOutcome {
  const now = timeIn(simulation, request.realmId);
  const json = wantsJson(request.accept);
  try {
    simulation.oauth.authorize(request.authorization, request.realmId);
    const refusedBy = brokenLimit(simulation, request, now);
    if (refusedBy !== undefined)
      return { answer: faultAnswer(throttled().fault, now, json), replayed: false, refusedBy };
    return run(simulation, request, now, json);
  } catch (error) {
    return { answer: faultAnswer(faultOf(error), now, json), replayed: false };
  }
}

/** The gateway's limits. It words all of them alike: nothing else is documented for the monthly one. */
function brokenLimit(simulation: Simulation, request: ApiRequest, now: number): string | undefined {
  const settings = simulation.companies.get(request.realmId)?.settings;
  if (settings?.monthlyReadsExhausted && !isWrite(request)) return 'limit-month';
  if (!settings?.enforceLimits) return undefined;
  return simulation.limits.broken(request.realmId, { at: now, isBatch: request.segments[0] === 'batch' });
}

function run(simulation: Simulation, request: ApiRequest, now: number, json: boolean): ApiOutcome {
  const company = simulation.companies.get(request.realmId);
  if (company === undefined) throw authorizationFailed();
  const requestId = isWrite(request) ? checkedRequestId(request.query) : undefined;
  // A batch is remembered item by item, under the request id and the item's own id together.
  const memorable = requestId !== undefined && request.segments[0] !== 'batch';
  const work = new Work(company, now);
  const print = fingerprint(request.method, ...request.segments, request.body);
  if (requestId !== undefined && request.overlapping && work.settings.refuseRepeatedRequestId) {
    throw duplicateRequestId();
  }
  const known = memorable ? recall(work, requestId, print) : undefined;
  if (known !== undefined) return { answer: repeated(known), replayed: true };
  try {
    const answer = dispatch(work, request, requestId, json);
    // Only what succeeded is remembered: a caller that was refused may try again under the same id.
    if (memorable && typeof answer.body === 'string') {
      const { status, headers, body } = answer;
      remember(work, requestId, print, { status, contentType: headers['content-type'] ?? 'application/json', body });
    }
    return { answer, replayed: false };
  } finally {
    simulation.published(work.changes);
  }
}

function repeated(known: RememberedAnswer): Answer {
  return { status: known.status, headers: { 'content-type': known.contentType }, body: known.body };
}

/** Queries may be posted, and remain reads. */
export function isWrite(request: Pick<ApiRequest, 'method' | 'segments'>): boolean {
  return request.method === 'POST' && request.segments[0] !== 'query';
}

function checkedRequestId(query: URLSearchParams): string | undefined {
  const requestId = query.get('requestid') ?? undefined;
  if (requestId === undefined) return undefined;
  if (requestId.length > 50) throw requestIdTooLong(requestId);
  if (!/^[\x21-\x7e]+$/.test(requestId)) {
    throw validationFault('2130', 'Invalid Request Id Format', `Invalid request id: ${requestId}`);
  }
  return requestId;
}

function dispatch(work: Work, request: ApiRequest, requestId: string | undefined, json: boolean): Answer {
  const [resource, id, action] = request.segments;
  if (request.method === 'GET' && resource === 'invoice' && id !== undefined && action === 'pdf') {
    return pdfOf(findInvoice(work, id));
  }
  const content = request.method === 'GET' ? read(work, request) : change(work, request, requestId);
  return entityAnswer(content, work.now, json);
}

function read(work: Work, request: ApiRequest): JsonObject {
  const [resource = '', id, action] = request.segments;
  if (id === undefined) return readWhole(work, request, resource);
  if (action !== undefined) throw noSuchResource(request);
  if (resource === 'companyinfo' && id === request.realmId) return { CompanyInfo: presentCompanyInfo(work) };
  const endpoint = endpoints.get(resource);
  if (endpoint === undefined) throw noSuchResource(request);
  return { [endpoint.entity]: endpoint.read(work, id) };
}

function readWhole(work: Work, request: ApiRequest, resource: string): JsonObject {
  switch (resource) {
    case 'preferences':
      return { Preferences: presentPreferences(work) };
    case 'query':
      return { QueryResponse: executeQuery(work, request.query.get('query') ?? '', includes(request.query)) };
    case 'cdc':
      return changedSince(work, request.query);
    default:
      throw noSuchResource(request);
  }
}

function change(work: Work, request: ApiRequest, requestId: string | undefined): JsonObject {
  if (request.method !== 'POST') throw noSuchResource(request);
  const [resource = '', id, action, ...rest] = request.segments;
  if (resource === 'query' && id === undefined) {
    // The statement itself is the body; JSON here is a client's mistake.
    requireContentType(request, 'application/text');
    return { QueryResponse: executeQuery(work, request.body, includes(request.query)) };
  }
  if (resource === 'batch' && id === undefined) {
    return runBatch(work, jsonBody(request), { requestId, rule: request.itemRule });
  }
  const endpoint = endpoints.get(resource);
  if (endpoint === undefined || rest.length > 0) throw noSuchResource(request);
  if (id === undefined) {
    const operation = request.query.get('operation') ?? undefined;
    return write(work, endpoint, jsonBody(request), { operation, include: includes(request.query) });
  }
  if (action !== 'send' || endpoint.send === undefined) throw noSuchResource(request);
  return { [endpoint.entity]: endpoint.send(work, id, request.query.get('sendTo') ?? undefined) };
}

function includes(query: URLSearchParams): ReadonlySet<string> {
  return new Set(query.getAll('include').flatMap((value) => value.split(',')));
}

function requireContentType(request: ApiRequest, expected: string): void {
  if (request.contentType?.startsWith(expected) !== true) {
    throw unsupported(`with content type ${request.contentType ?? '(none)'}, where ${expected} is required,`);
  }
}

function jsonBody(request: ApiRequest): unknown {
  requireContentType(request, 'application/json');
  try {
    return parseJson(request.body);
  } catch (error) {
    if (error instanceof SyntaxError) throw invalidProperty(error.message);
    throw error;
  }
}

function noSuchResource(request: ApiRequest): ProviderFault {
  const path = `/v3/company/${request.realmId}/${request.segments.join('/')}`;
  return unsupported(`Could not find resource for relative : ${path} of full path: https://simulator${path}`);
}
