/** What the application asks of the job queue. Jobs only wake workers: the rows they work on hold the work. */
export interface JobQueue {
  /** Makes sure that the pending events of this company are looked at soon. May be called very often. */
  wakeWebhookWorker(provider: string, companyId: string): void;
  /** Makes sure that unsettled operations are looked at after this time, or sooner. Lost wake-ups are harmless. */
  resumeOperationsIn(delayMs: number): void;
  /** Makes sure that this bulk is worked on soon. Lost wake-ups are harmless. */
  wakeBulkInvoicing(bulkInvoicingId: string): void;
}
