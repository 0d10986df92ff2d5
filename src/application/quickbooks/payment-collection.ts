import type { ProviderPayment } from '../ports/accounting.js';
import type { ProviderFailure } from '../ports/provider.js';
import type { QboContext } from './qbo-context.js';

/** Payments that were read, and which could not be. None is asked for twice. */
export class PaymentCollection {
  readonly #context: QboContext;
  readonly #connectionId: string;
  readonly #payments: Map<string, ProviderPayment>;
  readonly #asked = new Set<string>();
  readonly #failures = new Map<string, ProviderFailure>();

  /** @param seen payments that were read before; `read` replaces them */
  constructor(context: QboContext, connectionId: string, seen: ReadonlyMap<string, ProviderPayment> = new Map()) {
    this.#context = context;
    this.#connectionId = connectionId;
    this.#payments = new Map(seen);
  }

  /** Undefined: QuickBooks does not know it (any more), or it was not read. */
  get(id: string): ProviderPayment | undefined {
    return this.#payments.get(id);
  }

  failureOf(ids: readonly string[]): ProviderFailure | undefined {
    return ids.map((id) => this.#failures.get(id)).find((failure) => failure !== undefined);
  }

  async read(ids: readonly string[]): Promise<void> {
    const wanted = [...new Set(ids)].filter((id) => !this.#asked.has(id));
    if (wanted.length === 0) return;
    const read = await this.#context.accounting.readPayments(this.#connectionId, wanted);
    for (const id of wanted) {
      this.#asked.add(id);
      this.#payments.delete(id);
      if (!read.ok) this.#failures.set(id, read.failure);
    }
    if (!read.ok) return;
    for (const payment of read.value.objects) this.#payments.set(payment.externalId, payment);
    for (const id of read.value.unreadableIds) this.#failures.set(id, notUnderstood('payment', id));
  }
}

/** QuickBooks described one object in a way that we cannot read. Others must not suffer from it. */
export function notUnderstood(kind: 'invoice' | 'payment', externalId: string): ProviderFailure {
  const message = `QuickBooks describes ${kind} ${externalId} in a way that cannot be understood.`;
  return { kind: 'unavailable', message, trace: {} };
}
