export type CallKind = 'read' | 'write' | 'token';

/** One call that reached the simulator. */
export interface LoggedCall {
  /** Counts the calls of all companies, in the order in which they arrived. */
  readonly seq: number;
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Of a token call: the company that the token belongs to, when it is known. */
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
  /** Whether the fault came before or after the change was made. */
  faultWhen: 'before' | 'after' | null;
}

export interface CallFilter {
  readonly realmId?: string | undefined;
  readonly kind?: string | undefined;
}

/** Enough for any run that counts calls, and still a bounded amount of memory. */
const KEPT_PER_REALM = 100_000;

/** Counts what a client really sent. Never holds a token. */
export class RequestLog {
  private readonly byRealm = new Map<string | null, LoggedCall[]>();
  private next = 1;

  add(arrived: Omit<LoggedCall, 'seq'>): LoggedCall {
    const call: LoggedCall = { seq: this.next, ...arrived };
    this.next += 1;
    const calls = this.byRealm.get(call.realmId) ?? [];
    calls.push(call);
    this.byRealm.set(call.realmId, calls.length > KEPT_PER_REALM ? calls.slice(-KEPT_PER_REALM / 2) : calls);
    return call;
  }

  list({ realmId, kind }: CallFilter): LoggedCall[] {
    const calls = realmId === undefined ? [...this.byRealm.values()].flat() : (this.byRealm.get(realmId) ?? []);
    return calls.filter((call) => kind === undefined || call.kind === kind).sort((a, b) => a.seq - b.seq);
  }

  clear(realmId: string | undefined): void {
    if (realmId === undefined) this.byRealm.clear();
    else this.byRealm.delete(realmId);
  }
}

/** Replaces the values of token fields, in a form and in JSON. */
export function redactTokens(body: string): string {
  return body
    .replace(/\b(refresh_token|access_token|token|code)=[^&]*/g, '$1=[redacted]')
    .replace(/"(refresh_token|access_token|token|code)"\s*:\s*"[^"]*"/g, '"$1":"[redacted]"');
}
