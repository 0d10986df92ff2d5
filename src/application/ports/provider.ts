/** What a provider's answer leaves behind for support: the HTTP status and the provider's own id of the request. */
export interface ProviderTrace {
  readonly statusCode?: number;
  readonly requestId?: string;
}

/**
 * Why a provider call did not succeed. Only `unknown` leaves open whether the provider changed anything; after every
 * other kind it certainly did not.
 */
export type ProviderFailure =
  /** Understood and refused: sending the same again is pointless until something is corrected. */
  | {
      readonly kind: 'rejected';
      readonly reason: RejectionReason;
      /** The provider's fault code, e.g. `6140`. */
      readonly code: string | undefined;
      /** A sentence for a person, without secrets. */
      readonly message: string;
      /** The id of the provider object that is in the way, when the fault names it. */
      readonly conflictingId?: string;
      readonly trace: ProviderTrace;
    }
  /** Certainly nothing was sent or processed (refused connection, throttled, token endpoint down): try again later. */
  | {
      readonly kind: 'unavailable';
      readonly message: string;
      readonly trace: ProviderTrace;
      /** Asking earlier is pointless: the company is paused, or has no room for more calls. */
      readonly retryAt?: Date;
      /** The provider asked to be left alone with calls of this kind, reads or writes: possibly for weeks, by a quota. */
      readonly isPaused?: true;
    }
  /** The company's authorisation is gone; only a person can reconnect it. */
  | { readonly kind: 'reconnect_required'; readonly message: string; readonly trace: ProviderTrace }
  /** The request may or may not have been carried out (time-out, lost connection, 5xx, unreadable answer). */
  | {
      readonly kind: 'unknown';
      readonly message: string;
      /** The provider says that it knows this idempotency key, and not what became of the request. */
      readonly isRepetition?: true;
      readonly trace: ProviderTrace;
    };

export type RejectionReason =
  | 'duplicate_name'
  | 'duplicate_number'
  | 'stale'
  | 'not_found'
  | 'bad_reference'
  | 'closed_period'
  | 'subscription'
  | 'permission'
  | 'validation';

export type ProviderResult<T> = ProviderSuccess<T> | { readonly ok: false; readonly failure: ProviderFailure };

export interface ProviderSuccess<T> {
  readonly ok: true;
  readonly value: T;
  readonly trace: ProviderTrace;
  /** By the provider's own clock, a moment at which the answer was not made yet: what happened before is in it. */
  readonly asOf?: Date;
}

export function succeeded<T>(value: T, trace: ProviderTrace = {}, asOf?: Date): ProviderSuccess<T> {
  return { ok: true, value, trace, ...(asOf && { asOf }) };
}

/** The provider does not know the object (any more). */
export function isNotFound(failure: ProviderFailure): boolean {
  return failure.kind === 'rejected' && failure.reason === 'not_found';
}

export function failed(failure: ProviderFailure): { readonly ok: false; readonly failure: ProviderFailure } {
  return { ok: false, failure };
}
