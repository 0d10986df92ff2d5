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
const KEPT = 100_000;

/** Counts what a client really sent. Never holds a token. */
export class RequestLog {
  private readonly byRealm = new Map<string, LoggedCall[]>();
  /** Calls that name no company, or one that does not exist: late callers of a removed one come here, too. */
  private others: LoggedCall[] = [];
  private next = 1;

  add(arrived: Omit<LoggedCall, 'seq'>, companyExists: boolean): LoggedCall {
    const call: LoggedCall = { seq: this.next, ...arrived };
    this.next += 1;
    if (call.realmId === null || !companyExists) this.others = bounded(this.others, call);
    else this.byRealm.set(call.realmId, bounded(this.byRealm.get(call.realmId) ?? [], call));
    return call;
  }

  list({ realmId, kind }: CallFilter): LoggedCall[] {
    const companies = realmId === undefined ? [...this.byRealm.values()].flat() : (this.byRealm.get(realmId) ?? []);
    const others = this.others.filter((call) => realmId === undefined || call.realmId === realmId);
    return [...companies, ...others]
      .filter((call) => kind === undefined || call.kind === kind)
      .sort((left, right) => left.seq - right.seq);
  }

  clear(realmId: string | undefined): void {
    if (realmId === undefined) this.byRealm.clear();
    else this.byRealm.delete(realmId);
    this.others = realmId === undefined ? [] : this.others.filter((call) => call.realmId !== realmId);
  }
}

function bounded(calls: LoggedCall[], next: LoggedCall): LoggedCall[] {
  calls.push(next);
  return calls.length > KEPT ? calls.slice(-KEPT / 2) : calls;
}

/** Replaces the values of token fields, in a form and in JSON. */
export function redactTokens(body: string): string {
  return body
    .replace(/\b(refresh_token|access_token|token|code)=[^&]*/g, '$1=[redacted]')
    .replace(/"(refresh_token|access_token|token|code)"\s*:\s*"[^"]*"/g, '"$1":"[redacted]"');
}
