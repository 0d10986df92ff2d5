import { z } from 'zod';
import type { Asked, Finding, Told } from './auditor/evidence.js';
import type { BookInvoice, BookPayment, Books } from './books.js';
import { isVoided } from './books.js';
import { RefusedByControl } from './control.js';
import type { Random } from './random.js';
import type { Answer, CallName, Calls, System } from './system.js';

/** A purchase order as its client knows it. */
export interface KnownOrder {
  readonly id: string;
  readonly organisation: string;
  readonly totalMinor: number;
  emailsAsked: number;
}

/** A call that its client has no answer to yet, and will repeat as it was. */
interface Unanswered {
  readonly repeat: () => Promise<void>;
}

const COMPANY_SEED = 9_000_000_000_000_000;
const tokens = z.object({ accessToken: z.string(), refreshToken: z.string() });
let companies = 0;

/** Where a story takes place: a company and a conference of its own, and the people who act there. */
export class Stage {
  readonly system: System;
  readonly random: Random;
  readonly realmId: string;
  readonly currency: string;
  readonly orders: KnownOrder[] = [];
  readonly told: Told[] = [];
  /** By request: those that bear the same key are one. */
  readonly asked = new Map<string, Asked>();
  /** Ids of invoices whose lines the bookkeeper changed. */
  readonly rewritten = new Set<string>();
  /** What went wrong before anybody looked. */
  readonly findings: Finding[] = [];
  conferenceId = '';
  /** Then only a sweep finds out what happened. */
  areWebhooksLost = false;
  /** Clients that do not return leave it to the background to bring to an end what they asked for. */
  doClientsReturn = true;
  mayLoseTokens = true;
  mayRefuseToken = true;
  /** A process died or lost its connection on the way. */
  wasStruck = false;
  wasTokenRefused = false;
  unanswered: Unanswered[] = [];
  #keys = 0;

  constructor(system: System, random: Random, currency: string) {
    companies += 1;
    this.system = system;
    this.random = random;
    this.currency = currency;
    // Others may have told the same story in the same books.
    this.realmId = `${COMPANY_SEED + (process.pid % 100_000) * 1_000_000 + companies}`;
  }

  /** A client's key: its requests stay distinguishable from all others in the database. */
  newKey(): string {
    this.#keys += 1;
    return `key-${this.realmId}-${this.#keys}`;
  }

  get api(): 0 | 1 {
    return this.random.chance(0.5) ? 0 : 1;
  }

  get worker(): 0 | 1 {
    return this.random.chance(0.5) ? 0 : 1;
  }

  order(): KnownOrder | undefined {
    return this.orders.length === 0 ? undefined : this.random.pick(this.orders);
  }

  async connect(): Promise<void> {
    const issued = tokens.parse(await this.system.control('POST', '/tokens', { realmId: this.realmId }));
    const { accessToken, refreshToken } = issued;
    const input = { environment: 'SANDBOX', realmId: this.realmId, accessToken, refreshToken };
    await this.insist('configureQboConnection', { conferenceId: this.conferenceId, ...input });
  }

  /** Asks until there is an answer with an id. Only for what a story cannot go on without. */
  async insist<N extends CallName>(name: N, input: Calls[N]): Promise<string> {
    for (let attempt = 0; attempt < 12; attempt++) {
      const answer = await this.system.call(this.api, name, input);
      if (answer.kind === 'answered' && answer.id !== null) return answer.id;
      await this.system.advance(30_000);
    }
    throw new Error(`${name} does not succeed`);
  }

  /** A call whose client repeats it later, when it got no answer or one that says to try again. */
  async ask<N extends CallName>(api: 0 | 1, name: N, input: Calls[N], onDone?: (id: string) => void): Promise<void> {
    this.#remember(name, input);
    const answer = await this.system.call(api, name, input);
    if (answer.kind === 'answered' && answer.id !== null) {
      this.#note(name, input, answer.id);
      onDone?.(answer.id);
    } else if (isWorthRepeating(name, input, answer)) {
      this.unanswered.push({ repeat: () => this.ask(this.api, name, input, onDone) });
    }
  }

  #remember(call: CallName, input: Calls[CallName]): void {
    const { key, orderId } = partsOf(input);
    const asked = {
      call,
      ...(orderId !== undefined && { orderId }),
      ...('amount' in input && { amount: input.amount }),
    };
    this.asked.set(`${call} ${key ?? `without key ${this.asked.size}`}`, asked);
  }

  #note(call: CallName, input: Calls[CallName], id: string): void {
    const { key, orderId } = partsOf(input);
    this.told.push({ call, id, ...(key !== undefined && { key }), ...(orderId !== undefined && { orderId }) });
  }

  books(): Promise<Books> {
    return this.system.books(this.realmId);
  }

  /** What the bookkeeper does in QuickBooks; the books may refuse it, e.g. when it was done already. */
  async keepBooks(path: string, order: object): Promise<void> {
    try {
      await this.system.control('POST', path, { realmId: this.realmId, ...order });
    } catch (error) {
      if (!(error instanceof RefusedByControl)) throw error;
    }
  }

  /** An invoice in the books that is owed something. */
  async openInvoice(): Promise<BookInvoice | undefined> {
    return this.#pickFrom((await this.books()).invoices.filter((each) => Number(each.Balance) > 0));
  }

  async liveInvoice(): Promise<BookInvoice | undefined> {
    return this.#pickFrom((await this.books()).invoices.filter((each) => !isVoided(each)));
  }

  async payment(): Promise<BookPayment | undefined> {
    return this.#pickFrom((await this.books()).payments.filter((each) => Number(each.TotalAmt) > 0));
  }

  #pickFrom<T>(choices: readonly T[]): T | undefined {
    return choices.length === 0 ? undefined : this.random.pick(choices);
  }

  /** An amount from one smallest unit up to the given one, as decimal text. */
  amountUpTo(most: string | number): string {
    const scale = this.currency === 'JPY' ? 1 : 100;
    return this.format(this.random.between(1, Math.max(1, Math.round(Number(most) * scale))));
  }

  format(minor: number): string {
    return this.currency === 'JPY' ? `${minor}` : (minor / 100).toFixed(2);
  }

  day(): string {
    return `2026-${this.random.pick(['09', '10'])}-${this.random.between(10, 28)}`;
  }
}

/** What tells one request from another. */
function partsOf(input: Calls[CallName]): { readonly key: string | undefined; readonly orderId: string | undefined } {
  return {
    key: 'idempotencyKey' in input ? input.idempotencyKey : undefined,
    orderId: 'purchaseOrderId' in input ? input.purchaseOrderId : undefined,
  };
}

const RETRYABLE = new Set(['IN_PROGRESS', 'IDEMPOTENCY_IN_PROGRESS', 'OUTCOME_UNKNOWN', 'QBO_UNAVAILABLE']);
/** Asked twice without a key, these would be done twice: that is the client's own fault. */
const NEEDS_KEY = new Set<CallName>(['createPurchaseOrder', 'recordPayment', 'issueCreditNote', 'sendQboInvoice']);

function isWorthRepeating(name: CallName, input: Calls[CallName], answer: Answer): boolean {
  const isRepeatable = !NEEDS_KEY.has(name) || 'idempotencyKey' in input;
  return isRepeatable && (answer.kind === 'lost' || answer.codes.some((code) => RETRYABLE.has(code)));
}
