import type { ProviderFailure, ProviderTrace, RejectionReason } from '../../application/ports/provider.js';
import { cut, singleLine } from '../text.js';
import type { QboFault } from './fault-reader.js';
import { redact } from './redact.js';

/** Whether a call may change something: decides what an answer that never came means. */
export type CallEffect = 'read' | 'write';

/** A call that did not succeed. `unauthorised`: refresh the access token, unless it is new, and try once more. */
export type CallFailure =
  | { readonly kind: 'unauthorised'; readonly message: string; readonly trace: ProviderTrace }
  | FailedCall;

export interface FailedCall {
  readonly kind: 'failed';
  readonly failure: ProviderFailure;
  /** Undefined: nothing that concerns more than this one call. */
  readonly cause?: FailureCause;
  /** How long QuickBooks asks to be left alone, when it says so with a 429. */
  readonly retryAfterMs?: number;
}

/**
 * What a failure tells about the company or its server. `not_sent`, `lost` (no whole answer came) and `server_error`
 * may pass by themselves; `throttled` must be waited out; `no_access` is QuickBooks' word that the authorisation is gone.
 * `withheld` tells nothing: we did not send the call, or did not wait for its answer.
 */
export type FailureCause = 'not_sent' | 'lost' | 'server_error' | 'throttled' | 'no_access' | 'withheld';

/** An answer that is not what was asked for. */
export interface Refusal {
  readonly status: number;
  /** Undefined: the body explains nothing. */
  readonly fault: QboFault | undefined;
  readonly effect: CallEffect;
  readonly trace: ProviderTrace;
  /** Texts that must not reach a message. */
  readonly secrets?: readonly string[];
}

const NO_ACCESS_CODES = new Set([
  '120', // no access to this company
  '130', // a sandbox company on the production host, or the reverse
  '3100', // wrong company, wrong environment or missing scope
]);
const TOKEN_REFUSED_CODES = new Set(['100', '3200', '3202']);
const THROTTLED_CODE = '3001';
const MAINTENANCE_CODE = '150';
/** This request id is known: the first request with it was carried out, or is still at work. */
const REPETITION_CODE = '600';
const SYSTEM_FAILURE_CODE = '10000';

const REJECTION_REASONS: ReadonlyMap<string, RejectionReason> = new Map([
  ['5010', 'stale'],
  ['610', 'not_found'],
  ['2500', 'bad_reference'],
  ['6250', 'bad_reference'],
  ['6140', 'duplicate_number'],
  ['6240', 'duplicate_name'],
  ['6200', 'closed_period'],
  ['6210', 'closed_period'],
  ['6190', 'subscription'],
  ['5020', 'permission'],
]);

/**
 * Decides what an answer means. The fault's code goes before the status, because QuickBooks puts faults into 200, and
 * its subscription and permission faults come with 400 or 403.
 */
export function classifyRefusal(refusal: Refusal): CallFailure {
  const { status, fault, trace } = refusal;
  const code = fault?.code ?? '';
  const message = sentence(refusal);
  if (NO_ACCESS_CODES.has(code)) return refuse({ kind: 'reconnect_required', message, trace }, 'no_access');
  if (TOKEN_REFUSED_CODES.has(code) || status === 401) return { kind: 'unauthorised', message, trace };
  if (status === 429 || code === THROTTLED_CODE) return refuse({ kind: 'unavailable', message, trace }, 'throttled');
  if (code === MAINTENANCE_CODE) return refuse({ kind: 'unavailable', message, trace });
  if (status >= 500 || status === 408 || code === SYSTEM_FAILURE_CODE) {
    return unsettled(refusal.effect, message, trace, 'server_error');
  }
  if (code === REPETITION_CODE) {
    return refusal.effect === 'write'
      ? refuse({ kind: 'unknown', isRepetition: true, message, trace })
      : unsettled('read', message, trace);
  }
  if (isSavingTrouble(fault)) return unsettled(refusal.effect, message, trace);
  if (code === '' && status < 400) return unsettled(refusal.effect, message, trace);
  const reason = REJECTION_REASONS.get(code);
  // Without a code it may be a proxy on the way that refuses: it ends this call, and not the connection.
  if (!reason && status === 403) return refuse({ kind: 'reconnect_required', message, trace });
  return refuse({ ...rejection(fault, reason ?? 'validation'), message, trace });
}

/**
 * The catch-all code 6000 also covers trouble while saving, seen when a request id was used a second time. It is not
 * about what was sent, and whether anything was saved is open.
 */
function isSavingTrouble(fault: QboFault | undefined): boolean {
  return fault?.code === '6000' && /an unexpected error occurred while/i.test(fault.detail);
}

function rejection(fault: QboFault | undefined, reason: RejectionReason) {
  const conflictingId = conflict(fault, reason);
  return {
    kind: 'rejected',
    reason,
    code: fault?.code,
    ...(conflictingId !== undefined && { conflictingId }),
  } as const;
}

function conflict(fault: QboFault | undefined, reason: RejectionReason): string | undefined {
  if (reason === 'duplicate_number') return /\bTxnId=(\d{1,30})/.exec(fault?.detail ?? '')?.[1];
  if (reason === 'duplicate_name') return /\bId=(\d{1,30})/.exec(fault?.detail ?? '')?.[1];
  return undefined;
}

/** Nobody knows whether it was carried out. For a read that does not matter. */
export function unsettled(
  effect: CallEffect,
  message: string,
  trace: ProviderTrace,
  cause?: 'lost' | 'server_error',
): FailedCall {
  return refuse({ kind: effect === 'write' ? 'unknown' : 'unavailable', message, trace }, cause);
}

function refuse(failure: ProviderFailure, cause?: FailureCause): FailedCall {
  return { kind: 'failed', failure, ...(cause !== undefined && { cause }) };
}

const MAX_MESSAGE_LENGTH = 500;

/** Looking for tokens in a text takes time that grows with the square of its length. */
const MAX_EXPLANATION_LENGTH = 5000;

/** The fault in QuickBooks' words, or the status. Never a body: HTML and secrets have no place in a message. */
function sentence({ status, fault, secrets }: Refusal): string {
  const explanation = fault ? explain(fault) : '';
  if (explanation === '') return `QuickBooks answered with status ${status} and no explanation.`;
  const text = cut(redact(cut(explanation, MAX_EXPLANATION_LENGTH), secrets), MAX_MESSAGE_LENGTH);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Details mostly repeat the message before they explain it. */
function explain(fault: QboFault): string {
  const message = singleLine(fault.message);
  const detail = singleLine(fault.detail);
  if (message === '' || detail.toLowerCase().startsWith(message.toLowerCase())) return detail;
  return detail === '' ? message : `${message}: ${detail}`;
}
