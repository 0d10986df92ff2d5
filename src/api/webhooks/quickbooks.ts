import type { Router } from 'express';
import type { WebhookSource } from '../../application/ports/webhook-source.js';
import { type WebhookOptions, webhookRouter } from './webhook-router.js';

/** `POST /webhooks/qbo`, for every company. */
export function quickBooksWebhookRouter({
  source,
  ...options
}: WebhookOptions & { readonly source: WebhookSource }): Router {
  return webhookRouter(
    {
      path: '/webhooks/qbo',
      header: 'intuit-signature',
      findSource: () => source,
      notConfigured: 'No verifier token is configured: set QBO_WEBHOOK_VERIFIER_TOKEN.',
      noEvents: 'The body is no list of QuickBooks events.',
    },
    options,
  );
}
