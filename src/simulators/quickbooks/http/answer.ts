import { randomBytes, randomUUID } from 'node:crypto';
import { envelopeTime } from '../dates.js';
import { type FaultDescription, ProviderFault, systemFailure } from '../faults.js';
import { toJson } from '../json.js';
import { faultXml, responseXml } from './xml.js';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** The provider answers in XML unless JSON is asked for by name: a missing or wildcard Accept gets XML. */
export function wantsJson(accept: string | undefined): boolean {
  return accept?.includes('application/json') ?? false;
}

export function newTransactionId(): string {
  return `1-${randomBytes(4).toString('hex')}-${randomBytes(12).toString('hex')}`;
}

/** Headers that every answer of the API carries. The first one lets a client refuse a simulator in production. */
export function commonHeaders(tid: string): Record<string, string> {
  return {
    'x-simulator': 'quickbooks',
    intuit_tid: tid,
    'x-request-id': tid,
    'x-spanid': randomUUID(),
    'x-amzn-trace-id': `Root=${tid}`,
    'qbo-version': '2073.223',
    'service-time': 'total=5, db=1',
    'cache-control': 'max-age=0, no-cache, no-store, must-revalidate, private',
    server: 'istio-envoy',
  };
}

export function entityAnswer(content: Record<string, unknown>, now: number, json: boolean): Answer {
  const time = envelopeTime(now);
  return json
    ? { status: 200, headers: { 'content-type': 'application/json;charset=UTF-8' }, body: toJson({ ...content, time }) }
    : { status: 200, headers: { 'content-type': 'application/xml;charset=UTF-8' }, body: responseXml(content, time) };
}

/** Anything but a known refusal is a bug in the simulator: it shows as the provider's system failure. */
export function faultOf(error: unknown): FaultDescription {
  if (error instanceof ProviderFault) return error.fault;
  return systemFailure(error instanceof Error ? `simulator bug: ${error.message}` : 'simulator bug').fault;
}

export function faultAnswer(fault: FaultDescription, now: number, json: boolean): Answer {
  if (!json) {
    return { status: fault.status, headers: { 'content-type': 'application/xml' }, body: faultXml(fault, now) };
  }
  const gateway = fault.type === 'AUTHENTICATION' || fault.type === 'SERVICE';
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (fault.status === 401) headers['www-authenticate'] = 'Bearer realm="Intuit", error="invalid_token"';
  const body = gateway ? gatewayEnvelope(fault, now) : serviceEnvelope(fault, now);
  return { status: fault.status, headers, body: toJson(body) };
}

/** Validation and business errors: upper-case `Fault`. Code 2030 was recorded without a time. */
function serviceEnvelope(fault: FaultDescription, now: number): object {
  const envelope = { Fault: faultBody(fault) };
  return fault.code === '2030' ? envelope : { ...envelope, time: envelopeTime(now) };
}

export function faultBody(fault: FaultDescription): object {
  const { message, detail, code, element, type } = fault;
  const error = { Message: message, Detail: detail, code, ...(element === undefined ? {} : { element }) };
  return { Error: [error], type };
}

/** Errors of the gateway in front: lower-case `fault`, and the time as epoch milliseconds. */
function gatewayEnvelope(fault: FaultDescription, now: number): object {
  const { message, detail, code, type } = fault;
  return {
    warnings: null,
    intuitObject: null,
    fault: { error: [{ message, detail, code, element: null }], type },
    report: null,
    queryResponse: null,
    batchItemResponse: [],
    attachableResponse: [],
    syncErrorResponse: null,
    requestId: null,
    time: now,
    status: null,
    cdcresponse: [],
  };
}
