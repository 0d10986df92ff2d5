import type { Router } from 'express';
import type { WebhookSource } from '../../application/ports/webhook-source.js';
import { type WebhookOptions, webhookRouter } from './webhook-router.js';

export interface StripeWebhookOptions extends WebhookOptions {
  /** What verifies and reads the messages for this conference; undefined when there is none with this slug. */
  readonly findSource: (conferenceSlug: string) => Promise<WebhookSource | undefined>;
}

/** `POST /webhooks/stripe/{conferenceSlug}`: each conference has an endpoint of its own, with signing secrets of its own. */
export function stripeWebhookRouter({ findSource, ...options }: StripeWebhookOptions): Router {
  return webhookRouter(
    {
      path: '/webhooks/stripe/:conferenceSlug',
      header: 'stripe-signature',
      findSource: ({ params }) => findSource(String(params.conferenceSlug)),
      notConfigured:
        'This conference has no Stripe account, or no signing secret that can be opened: call configureStripe.',
      noEvents: 'The body is no Stripe event.',
    },
    options,
  );
}
