/** Enough for any run that counts calls, and still a bounded amount of memory. */
const KEPT = 100_000;

interface AnyCall {
  /** Counts the calls of all owners, in the order in which they arrived. */
  readonly seq: number;
  readonly kind: string;
}

export interface CallFilter {
  readonly owner?: string | undefined;
  readonly kind?: string | undefined;
}

/** Counts what a client really sent, by company or account. */
export class RequestLog<Call extends AnyCall> {
  private readonly byOwner = new Map<string, Call[]>();
  /** Calls that name no owner, or one that does not exist: late callers of a removed one come here, too. */
  private others: Call[] = [];
  private next = 1;

  constructor(private readonly ownerOf: (call: Call) => string | null) {}

  /** `describe` is given the call's number. */
  add(describe: (seq: number) => Call, ownerExists: boolean): Call {
    const call = describe(this.next);
    this.next += 1;
    const owner = this.ownerOf(call);
    if (owner === null || !ownerExists) this.others = bounded(this.others, call);
    else this.byOwner.set(owner, bounded(this.byOwner.get(owner) ?? [], call));
    return call;
  }

  list({ owner, kind }: CallFilter): Call[] {
    const owners = owner === undefined ? [...this.byOwner.values()].flat() : (this.byOwner.get(owner) ?? []);
    const others = this.others.filter((call) => owner === undefined || this.ownerOf(call) === owner);
    return [...owners, ...others]
      .filter((call) => kind === undefined || call.kind === kind)
      .sort((left, right) => left.seq - right.seq);
  }

  clear(owner: string | undefined): void {
    if (owner === undefined) this.byOwner.clear();
    else this.byOwner.delete(owner);
    this.others = owner === undefined ? [] : this.others.filter((call) => this.ownerOf(call) !== owner);
  }
}

function bounded<Call>(calls: Call[], next: Call): Call[] {
  calls.push(next);
  return calls.length > KEPT ? calls.slice(-KEPT / 2) : calls;
}
