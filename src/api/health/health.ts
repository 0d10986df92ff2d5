import { Router } from 'express';
import type { Registry } from 'prom-client';

export interface Readiness {
  readonly database: boolean;
  readonly migrations: boolean;
  /** What it shows, or whom it talks to, is not all there yet. */
  readonly starting: boolean;
  readonly stopping: boolean;
  /** Every simulator that stands in for a provider, by name and address. */
  readonly simulators: Readonly<Record<string, string>>;
}

export interface HealthOptions {
  readonly readiness: () => Promise<Readiness>;
  readonly registry: Registry;
}

/** `GET /healthz` (the process lives), `GET /readyz` (it can serve), `GET /metrics` (Prometheus text). */
export function healthRouter({ readiness, registry }: HealthOptions): Router {
  const router = Router();
  router.get('/healthz', (_request, response) => {
    response.json({ status: 'alive' });
  });
  router.get('/readyz', async (_request, response) => {
    const state = await readiness();
    const isReady = state.database && state.migrations && !state.starting && !state.stopping;
    response.status(isReady ? 200 : 503).json({ status: isReady ? 'ready' : 'not ready', ...state });
  });
  router.get('/metrics', async (_request, response) => {
    response.type(registry.contentType).send(await registry.metrics());
  });
  return router;
}
