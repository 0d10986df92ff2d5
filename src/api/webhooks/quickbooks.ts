import express, { Router } from 'express';
import type { ReceivedEvent, WebhookSource } from '../../application/ports/webhook-source.js';

/** Twice what Intuit puts into one request at most. */
const MAX_BODY = '2mb';

export interface QuickBooksWebhookOptions {
  readonly source: WebhookSource;
  readonly store: (events: readonly ReceivedEvent[]) => Promise<{ stored: number; duplicates: number }>;
  /** Told the HTTP status of every answer. */
  readonly onAnswered: (status: number) => void;
}

/**
 * `POST /webhooks/qbo`. The body stays raw bytes until its signature is checked, under whatever content type it comes.
 * 200 means that the events are stored, never that they are worked off: Intuit waits three seconds at most.
 */
export function quickBooksWebhookRouter({ source, store, onAnswered }: QuickBooksWebhookOptions): Router {
  const router = Router();
  const rawBody = express.raw({ type: () => true, limit: MAX_BODY, inflate: false });
  router.use('/webhooks/qbo', (_request, response, next) => {
    response.on('finish', () => onAnswered(response.statusCode));
    next();
  });
  router.post('/webhooks/qbo', rawBody, async (request, response) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const verdict = source.verify(body, request.get('intuit-signature'));
    if (verdict === 'not_configured') {
      response.status(503).json({ error: 'No verifier token is configured: set QBO_WEBHOOK_VERIFIER_TOKEN.' });
      return;
    }
    if (verdict === 'invalid') {
      response.status(401).json({ error: 'The intuit-signature header is missing or does not fit the body.' });
      return;
    }
    const events = source.parse(body);
    if (!events) {
      response.status(400).json({ error: 'The body is no list of QuickBooks events.' });
      return;
    }
    response.json(await store(events));
  });
  return router;
}
