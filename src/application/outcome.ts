/** Something a user can correct: what is wrong, in words to act on, and where in the input. */
export interface Failure<Code extends string> {
  readonly code: Code;
  readonly message: string;
  /** Path into the mutation's input, e.g. `['lineItems', '0', 'unitPrice']`; empty when it concerns the whole. */
  readonly path?: readonly string[];
}

/** What a use case returns: the id of what it changed or created, or why it did not. Bugs and outages throw instead. */
export interface Outcome<F> {
  readonly id: string | null;
  readonly failures: readonly F[];
}

export function done(id: string): { readonly id: string; readonly failures: readonly never[] } {
  return { id, failures: [] };
}

export function refused<F>(...failures: F[]): Outcome<F> {
  return { id: null, failures };
}

export function refusal<Code extends string>(code: Code, message: string, path: string[] = []): Outcome<Failure<Code>> {
  return refused({ code, message, path });
}

/** What was thrown, in words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
