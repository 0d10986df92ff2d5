import { createHash } from 'node:crypto';
import Stripe from 'stripe';
import type { ReceivedEvent, WebhookSource } from '../../application/ports/webhook-source.js';
import { type Clock, systemClock } from '../../domain/clock.js';
import { storablePayload } from '../webhook-payload.js';
import { readEvent } from './events.js';

/** Stripe's own: what was recorded on the way and is sent again later is refused. */
const TOLERANCE_SECONDS = 300;

export interface StripeWebhooksOptions {
  /** The signing secrets of the endpoint, comma-separated: several while one is being replaced. */
  readonly secrets: string;
  /** Whose endpoint it is; every event is taken to concern it. */
  readonly companyId: string;
  readonly clock?: Clock;
}

/** What comes in at one webhook endpoint. A delivery is one event. */
export class StripeWebhooks implements WebhookSource {
  readonly #secrets: readonly string[];
  readonly #companyId: string;
  readonly #clock: Clock;

  constructor({ secrets, companyId, clock = systemClock }: StripeWebhooksOptions) {
    this.#secrets = secrets
      .split(',')
      .map((secret) => secret.trim())
      .filter((secret) => secret !== '');
    this.#companyId = companyId;
    this.#clock = clock;
  }

  verify(body: Buffer, signature: string | undefined): 'valid' | 'invalid' | 'not_configured' {
    if (this.#secrets.length === 0) return 'not_configured';
    // Every secret is tried, so that the time taken does not tell which one matched.
    const matches = this.#secrets.map((secret) => this.#isSignedWith(secret, body, signature));
    return matches.includes(true) ? 'valid' : 'invalid';
  }

  parse(body: Buffer): ReceivedEvent[] | undefined {
    const element = parseOrUndefined(body);
    return typeof element === 'object' && element !== null ? [this.#read(element)] : undefined;
  }

  #isSignedWith(secret: string, body: Buffer, signature: string | undefined): boolean {
    const receivedAt = this.#clock.now().getTime();
    try {
      Stripe.webhooks.constructEvent(body, signature ?? '', secret, TOLERANCE_SECONDS, undefined, receivedAt);
      return true;
    } catch (error) {
      // Whatever else it complains of, e.g. a body that is no event, comes after the signature: `parse` says so.
      return !(error instanceof Stripe.errors.StripeSignatureVerificationError);
    }
  }

  #read(element: object): ReceivedEvent {
    const read = readEvent(element);
    return read.ok ? { ...read.event, companyId: this.#companyId } : this.#unreadable(element, read.reason);
  }

  /** Kept for people to look at. The id depends on the content, so that a repeated delivery is recognised. */
  #unreadable(element: object, reason: string): ReceivedEvent {
    const payload = storablePayload(element);
    return {
      eventId: `unreadable-${createHash('sha256').update(JSON.stringify(payload)).digest('hex')}`,
      companyId: this.#companyId,
      entity: '',
      entityId: '',
      operation: '',
      occurredAt: undefined,
      payload,
      unreadable: reason,
    };
  }
}

function parseOrUndefined(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
