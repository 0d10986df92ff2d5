/** One call that reached the simulator. Secret keys are in headers, which are not kept. */
export interface LoggedCall {
  readonly seq: number;
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Whose key it bore. */
  readonly accountId: string | null;
  readonly kind: 'read' | 'write';
  readonly idempotencyKey: string | null;
  readonly requestId: string;
  readonly body: string;
  /** What was answered; null while it is under way or when the connection was cut instead. */
  status: number | null;
  /** The answer repeated that of an earlier call with the same idempotency key. */
  replayed: boolean;
  /** The injected fault that this call met. */
  fault: string | null;
  /** Whether the fault came before or after the change was made. */
  faultWhen: 'before' | 'after' | null;
}
