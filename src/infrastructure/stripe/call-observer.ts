import type { ProviderFailure, ProviderTrace } from '../../application/ports/provider.js';

/** One call of Stripe's API, repetitions included, for logs and metrics. Holds no secret and nothing of a body. */
export interface StripeCallReport {
  /** What was done, e.g. `create_draft`: a closed set, fit for a metric label. */
  readonly operation: string;
  readonly outcome: 'ok' | ProviderFailure['kind'];
  readonly durationMs: number;
  readonly statusCode?: number;
  /** Stripe's own id of the request (`req_…`), which its support asks for. */
  readonly requestId?: string;
}

export type StripeCallObserver = (report: StripeCallReport) => void;

/** Measures one call. Call the returned function once, when its outcome is known. */
export function observeCall(
  observer: StripeCallObserver | undefined,
  operation: string,
): (outcome: StripeCallReport['outcome'], trace: ProviderTrace) => void {
  const startedAt = performance.now();
  return (outcome, trace) => {
    try {
      observer?.({ operation, outcome, durationMs: performance.now() - startedAt, ...trace });
    } catch {
      // A failing logger must not turn a write that Stripe carried out into an error.
    }
  };
}
