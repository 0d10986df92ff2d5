export type CallKind = 'read' | 'write' | 'token';

/** One call that reached the simulator. */
export interface LoggedCall {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly realmId: string | null;
  readonly kind: CallKind;
  readonly requestid: string | null;
  readonly tid: string;
  readonly body: string;
  /** What was answered; null while it is under way or when the connection was cut instead. */
  status: number | null;
  /** The answer repeated that of an earlier call with the same request id. */
  replayed: boolean;
  /** The injected fault that this call met. */
  fault: string | null;
}

/** Enough for any run that counts calls, and still a bounded amount of memory. */
const KEPT = 100_000;

/** Counts what a client really sent. Never holds a token. */
export class RequestLog {
  private calls: LoggedCall[] = [];

  add(call: LoggedCall): LoggedCall {
    this.calls.push(call);
    if (this.calls.length > KEPT) this.calls = this.calls.slice(-KEPT / 2);
    return call;
  }

  list(filter: { readonly realmId?: string | undefined; readonly kind?: string | undefined }): LoggedCall[] {
    return this.calls.filter(
      (call) =>
        (filter.realmId === undefined || call.realmId === filter.realmId) &&
        (filter.kind === undefined || call.kind === filter.kind),
    );
  }

  clear(): void {
    this.calls = [];
  }
}

/** Replaces the values of token fields, in a form and in JSON. */
export function redactTokens(body: string): string {
  return body
    .replace(/\b(refresh_token|access_token|token|code)=[^&]*/g, '$1=[redacted]')
    .replace(/"(refresh_token|access_token|token|code)"\s*:\s*"[^"]*"/g, '"$1":"[redacted]"');
}
