import type { UseCaseContext } from '../context.js';
import type { AccountingGateway } from '../ports/accounting.js';
import type { JobQueue } from '../ports/jobs.js';
import type { SecretBox } from '../ports/secrets.js';

/** What the QuickBooks use cases need besides the common things. */
export interface QboContext extends UseCaseContext {
  readonly accounting: AccountingGateway;
  readonly secrets: SecretBox;
  readonly jobs: JobQueue;
  /** The Intuit app of the environment variables, for connections without one of their own. */
  readonly defaultApp: { readonly clientId: string; readonly clientSecret: string } | undefined;
  /** Whether a connection to a simulator may be used: never in production, and only while there is a simulator. */
  readonly allowsSimulators: boolean;
}
