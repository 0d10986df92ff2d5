/** What the application asks of the job queue. Jobs only wake workers: the rows they work on hold the work. */
export interface JobQueue {
  /** Makes sure that the pending events of this company are looked at soon. May be called very often. */
  wakeWebhookWorker(provider: string, companyId: string): void;
}
