import type { InvoiceProvider } from '../domain/invoice/invoice.status.js';

/** A connection to be swept now. */
export interface DueSweep {
  readonly provider: `${InvoiceProvider}`;
  readonly connectionId: string;
  /** Under which the inbox knows its events. */
  readonly companyId: string;
}

/** What became of looking for changes that no webhook told. */
export interface SweepReport {
  readonly outcome: 'not_due' | 'nothing_to_watch' | 'done' | 'failed';
  /** Something should have been told by a webhook and was not. */
  readonly isGap: boolean;
  /** Why it failed. */
  readonly reason?: string;
}
