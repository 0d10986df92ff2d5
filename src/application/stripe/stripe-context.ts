import type { UseCaseContext } from '../context.js';
import type { BillingGateway } from '../ports/billing.js';
import type { JobQueue } from '../ports/jobs.js';
import type { SecretBox } from '../ports/secrets.js';

/** What the Stripe use cases need besides the common things. */
export interface StripeContext extends UseCaseContext {
  readonly billing: BillingGateway;
  readonly secrets: SecretBox;
  readonly jobs: JobQueue;
  /** Whether a connection to a simulator may be used: never in production, and only while there is a simulator. */
  readonly allowsStripeSimulator: boolean;
}
