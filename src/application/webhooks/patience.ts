import type { UseCaseContext } from '../context.js';
import { failed, type ProviderFailure, type ProviderResult } from '../ports/provider.js';

/** So many failures in a row mean that the provider cannot be reached; each may have taken minutes. */
const MAX_FAILURES = 3;

export type Ask = <T>(call: () => Promise<ProviderResult<T>>) => Promise<ProviderResult<T>>;

/**
 * For a run of many calls: once one failed in a way that tells how the rest would end, the rest fails without being tried,
 * and says when to try again.
 */
export function patiently({ clock, waits }: Pick<UseCaseContext, 'clock' | 'waits'>): Ask {
  let failures = 0;
  let stop: ProviderFailure | undefined;
  const tellsOfTheRest = (failure: ProviderFailure): ProviderFailure | undefined => {
    if (failure.kind === 'reconnect_required') return failure;
    if (failure.kind === 'unavailable' && failure.retryAt) return failure;
    if (failures < MAX_FAILURES) return undefined;
    const retryAt = new Date(clock.now().getTime() + waits.eventBackOffMs);
    return { kind: 'unavailable', message: failure.message, trace: {}, retryAt };
  };
  return async (call) => {
    if (stop) return failed(stop);
    const result = await call();
    const isAnswered = result.ok || result.failure.kind === 'rejected';
    failures = isAnswered ? 0 : failures + 1;
    if (!result.ok) stop = tellsOfTheRest(result.failure);
    return result;
  };
}
