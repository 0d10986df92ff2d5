import express, { type Request, Router } from 'express';
import type { ReceivedEvent, WebhookSource } from '../../application/ports/webhook-source.js';

/** Twice what Intuit puts into one request at most. Stripe sends one event at a time. */
const MAX_BODY = '2mb';

export interface WebhookOptions {
  readonly store: (events: readonly ReceivedEvent[]) => Promise<{ stored: number; duplicates: number }>;
  /** Told the HTTP status of every answer. */
  readonly onAnswered: (status: number) => void;
}

/** How a provider's messages are told from others. */
interface WebhookRoute {
  readonly path: string;
  /** The header with the signature. */
  readonly header: string;
  /** Undefined: nothing is expected at this address. */
  readonly findSource: (request: Request) => Promise<WebhookSource | undefined> | WebhookSource;
  /** What to answer when nothing can be verified yet. */
  readonly notConfigured: string;
  /** What to answer when a signed body is something else. */
  readonly noEvents: string;
}

/**
 * A route that takes a provider's events. The body stays raw bytes until its signature is checked, under whatever content
 * type it comes. 200 means that the events are stored, never that they are worked off: providers wait a few seconds at most.
 */
export function webhookRouter(route: WebhookRoute, { store, onAnswered }: WebhookOptions): Router {
  const { path, header, findSource, notConfigured, noEvents } = route;
  const router = Router();
  const rawBody = express.raw({ type: () => true, limit: MAX_BODY, inflate: false });
  router.use(path, (_request, response, next) => {
    response.on('finish', () => onAnswered(response.statusCode));
    next();
  });
  router.post(path, rawBody, async (request, response) => {
    const refuse = (status: number, error: string) => void response.status(status).json({ error });
    const source = await findSource(request);
    if (!source) return refuse(404, 'Nothing is expected here: there is no such conference.');
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const verdict = source.verify(body, request.get(header));
    if (verdict === 'not_configured') return refuse(503, notConfigured);
    if (verdict === 'invalid') return refuse(401, `The ${header} header is missing or does not fit the body.`);
    const events = source.parse(body);
    if (!events) return refuse(400, noEvents);
    response.json(await store(events));
  });
  return router;
}
