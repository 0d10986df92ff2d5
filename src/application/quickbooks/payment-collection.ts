import type { ProviderPayment } from '../ports/accounting.js';
import type { QboContext } from './qbo-context.js';
import { readPayments } from './read-payments.js';
import { type FailedReading, notUnderstood, type SeenObjects } from './seen-objects.js';

/** Payments that were read, and which could not be. None is asked for twice. */
export class PaymentCollection {
  readonly #context: QboContext;
  readonly #connectionId: string;
  readonly #payments: Map<string, ProviderPayment>;
  readonly #asked = new Set<string>();
  readonly #failures = new Map<string, FailedReading>();

  /** @param seen what was read before; `read` replaces the payments, and leaves the unreadable ones alone */
  constructor(context: QboContext, connectionId: string, seen: SeenObjects | undefined) {
    this.#context = context;
    this.#connectionId = connectionId;
    this.#payments = new Map(seen?.payments);
    for (const id of seen?.unreadablePaymentIds ?? []) this.#refuse(id);
  }

  /** Undefined: QuickBooks does not know it (any more), or it was not read. */
  get(id: string): ProviderPayment | undefined {
    return this.#payments.get(id);
  }

  failureOf(ids: readonly string[]): FailedReading | undefined {
    return ids.map((id) => this.#failures.get(id)).find((failure) => failure !== undefined);
  }

  /** @param inDoubt more of them, which may not exist */
  async read(ids: readonly string[], inDoubt: readonly string[] = []): Promise<void> {
    const wanted = [...new Set([...ids, ...inDoubt])].filter((id) => !this.#asked.has(id));
    if (wanted.length === 0) return;
    const read = await readPayments(this.#context, this.#connectionId, wanted, (id) => inDoubt.includes(id));
    for (const id of wanted) {
      this.#asked.add(id);
      this.#payments.delete(id);
      if (!read.ok) this.#failures.set(id, { ok: false, failure: read.failure, isUnreadable: false });
    }
    if (!read.ok) return;
    for (const payment of read.value.objects) this.#payments.set(payment.externalId, payment);
    for (const id of read.value.unreadableIds) this.#refuse(id);
  }

  #refuse(id: string): void {
    this.#asked.add(id);
    this.#failures.set(id, notUnderstood('payment', id));
  }
}
