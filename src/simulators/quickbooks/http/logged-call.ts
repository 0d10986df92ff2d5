export type CallKind = 'read' | 'write' | 'token';

/** One call that reached the simulator. */
export interface LoggedCall {
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
  /** Never holds a token. */
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

/** Replaces the values of token fields, in a form and in JSON. */
export function redactTokens(body: string): string {
  return body
    .replace(/\b(refresh_token|access_token|token|code)=[^&]*/g, '$1=[redacted]')
    .replace(/"(refresh_token|access_token|token|code)"\s*:\s*"[^"]*"/g, '"$1":"[redacted]"');
}
