import Stripe from 'stripe';
import { z } from 'zod';
import type { ProviderFailure, ProviderTrace, RejectionReason } from '../../application/ports/provider.js';
import { cut, singleLine } from '../text.js';
import { redact } from './redact.js';
import type { CallEffect, CallRecord } from './transport.js';

/** A call that the SDK ended with an error. */
export interface FailedCall {
  readonly error: unknown;
  readonly record: CallRecord;
  /** The parameter by which Stripe calls the object that is changed or read; undefined: there is none yet. */
  readonly subject: string | undefined;
  /** Texts that must not reach a message. */
  readonly secrets: readonly string[];
  readonly now: Date;
  /** Stripe does not say as a rule how long to wait after a 429. */
  readonly retryMs: number;
}

/**
 * Decides what an error means. It is Stripe's word only when Stripe explains it: a bare status may come from a proxy. A
 * repeated write is as unclear as its first sending, unless Stripe took the request apart and refused it.
 */
export function classifyFailure(failed: FailedCall): ProviderFailure {
  const failure = classifyLast(failed);
  const { effect, mayHaveActedBefore } = failed.record;
  const isSettled = failure.kind === 'unknown' || (failure.kind === 'rejected' && failure.reason !== 'permission');
  if (effect === 'read' || !mayHaveActedBefore || isSettled) return failure;
  return { kind: 'unknown', message: failure.message, trace: failure.trace };
}

function classifyLast(failed: FailedCall): ProviderFailure {
  const { record } = failed;
  const { last, trace, effect } = record;
  if (last === undefined || last.kind === 'not_sent') {
    const reason = last?.reason ?? 'the request could not be made';
    return { kind: 'unavailable', message: `Stripe could not be reached (${reason}).`, trace };
  }
  if (last.kind === 'lost') return unsettled(effect, `Stripe did not answer (${last.reason}).`, trace);
  if (last.status < 400) return unsettled(effect, UNREADABLE, trace);
  const explanation = explanationOf(failed.error);
  const message = sentence(explanation, last.status, failed.secrets);
  if (last.status === 429 || explanation?.code === RATE_LIMIT) {
    const retryMs = readRetryAfter(last.headers.get('retry-after')) ?? failed.retryMs;
    return { kind: 'unavailable', message, trace, retryAt: new Date(failed.now.getTime() + retryMs) };
  }
  // 409: a request with the same key is at work.
  if (!explanation || last.status >= 500 || last.status === 409) return unsettled(effect, message, trace);
  if (last.status === 401) return { kind: 'reconnect_required', message, trace };
  if (explanation.type === IDEMPOTENCY_ERROR && effect === 'write') {
    return { kind: 'unknown', isRepetition: true, message, trace };
  }
  const reason = reasonOf(explanation, last.status, failed.subject);
  return { kind: 'rejected', reason, code: explanation.code ?? explanation.type, message, trace };
}

export const UNREADABLE = 'Stripe gave an answer that cannot be understood.';

const RATE_LIMIT = 'rate_limit';

/** The key is known with other parameters: what became of the request that it belongs to, Stripe does not say. */
const IDEMPOTENCY_ERROR = 'idempotency_error';

const STALE_CODES = new Set(['invoice_not_editable', 'status_transition_invalid']);
const RESOURCE_MISSING = 'resource_missing';

function reasonOf({ code, param, message }: Explanation, status: number, subject: string | undefined): RejectionReason {
  if (status === 403) return 'permission';
  if (code !== undefined && STALE_CODES.has(code)) return 'stale';
  if (code !== RESOURCE_MISSING) return 'validation';
  const isInUrl = status === 404 && (param === undefined || param === 'id');
  const isSubject = subject !== undefined && (param === subject || isInUrl);
  // "No such invoice; a similar object exists in live mode, but a test mode key was used": it is not gone.
  const isElsewhere = /similar object exists in \w+ mode/.test(message);
  return isSubject && !isElsewhere ? 'not_found' : 'bad_reference';
}

/** Nobody knows whether it was carried out. For a read that does not matter. */
export function unsettled(effect: CallEffect, message: string, trace: ProviderTrace): ProviderFailure {
  return { kind: effect === 'write' ? 'unknown' : 'unavailable', message, trace };
}

const optionalText = z.string().optional().catch(undefined);
const explanation = z.object({
  type: z.string().regex(/_error$/),
  code: optionalText,
  param: optionalText,
  message: z.string().catch(''),
});
type Explanation = z.output<typeof explanation>;

/** Stripe's error object. Undefined: the answer held none. */
function explanationOf(error: unknown): Explanation | undefined {
  return error instanceof Stripe.errors.StripeError ? explanation.safeParse(error.raw).data : undefined;
}

const MAX_MESSAGE_LENGTH = 500;

/** Looking for secrets in a text takes time. */
const MAX_EXPLANATION_LENGTH = 5000;

function sentence(explained: Explanation | undefined, status: number, secrets: readonly string[]): string {
  const words = cut(singleLine(explained?.message ?? ''), MAX_EXPLANATION_LENGTH);
  if (words === '') return `Stripe answered with status ${status} and no explanation.`;
  const text = cut(redact(words, secrets), MAX_MESSAGE_LENGTH);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

const retrySeconds = z.coerce.number().int().nonnegative().max(3600);

function readRetryAfter(header: string | null): number | undefined {
  const seconds = header === null ? undefined : retrySeconds.safeParse(header).data;
  return seconds === undefined ? undefined : seconds * 1000;
}
