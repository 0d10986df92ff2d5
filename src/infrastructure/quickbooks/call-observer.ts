import type { ProviderFailure, ProviderTrace } from '../../application/ports/provider.js';

/** One HTTP request to Intuit, for logs and metrics. Holds no secret and nothing of a body. */
export interface QboCallReport {
  /** What was done, e.g. `create_invoice`, `refresh_token`: a closed set, fit for a metric label. */
  readonly operation: string;
  /** `unauthorised`: the access token was refused, which usually leads to a refresh and a second request. */
  readonly outcome: 'ok' | 'unauthorised' | ProviderFailure['kind'];
  readonly durationMs: number;
  readonly statusCode?: number;
  /** Intuit's own id of the request (`intuit_tid`), which its support asks for. */
  readonly requestId?: string;
}

export type QboCallObserver = (report: QboCallReport) => void;

/** Measures one request. Call the returned function once, when its outcome is known. */
export function observeCall(
  observer: QboCallObserver | undefined,
  operation: string,
): (outcome: QboCallReport['outcome'], trace: ProviderTrace) => void {
  const startedAt = performance.now();
  return (outcome, trace) => {
    try {
      observer?.({ operation, outcome, durationMs: performance.now() - startedAt, ...trace });
    } catch {
      // A failing logger must not turn a write that QuickBooks carried out into an error.
    }
  };
}
