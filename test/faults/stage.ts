import type { Asked, Evidence, Finding, Told } from './auditor/evidence.js';
import type { Random } from './random.js';
import type { Answer, CallName, Calls, Job, System } from './system.js';

/** A purchase order as its client knows it. */
export interface KnownOrder {
  readonly id: string;
  readonly organisation: string;
  readonly totalMinor: number;
}

interface Move {
  readonly input: Calls[CallName];
  isDone: boolean;
}

const MOVES = new Set<CallName>([
  'createQboInvoice',
  'createStripeInvoice',
  'switchInvoiceProvider',
  'cancelPurchaseOrder',
]);

/** A call that its client has no answer to yet, and will repeat as it was. */
interface Unanswered {
  readonly repeat: () => Promise<void>;
}

const STAGES_SEED = 9_000_000_000_000_000;
let stages = 0;

/** Where a story takes place: a conference of its own with its provider, and the people who act there. */
export abstract class Stage {
  readonly system: System;
  readonly random: Random;
  /** Of this story alone; looks like the id of a company in QuickBooks. */
  readonly id: string;
  readonly currency: string;
  readonly orders: KnownOrder[] = [];
  readonly told: Told[] = [];
  /** By request: those that bear the same key are one. */
  readonly asked = new Map<string, Asked>();
  /** By order the last call that may have its invoice elsewhere, or none at all, afterwards. */
  readonly lastMoves = new Map<string, Move>();
  /** What went wrong before anybody looked. */
  readonly findings: Finding[] = [];
  conferenceId = '';
  /** Of the conference. */
  timezone = 'UTC';
  /** Clients that do not return leave it to the background to bring to an end what they asked for. */
  doClientsReturn = true;
  /** A process died or lost its connection on the way. */
  wasStruck = false;
  unanswered: Unanswered[] = [];
  #keys = 0;

  constructor(system: System, random: Random, currency: string) {
    stages += 1;
    this.system = system;
    this.random = random;
    this.currency = currency;
    // Others may have told the same story in the same database.
    this.id = `${STAGES_SEED + (process.pid % 100_000) * 1_000_000 + stages}`;
  }

  /** What its workers do. */
  abstract readonly jobs: readonly Job[];

  /** Connects the conference, or connects it again. */
  abstract connect(): Promise<void>;
  abstract play(step: string): Promise<void>;
  /** Has one of the two workers do a job for this conference now. */
  abstract work(worker: 0 | 1, job: Job): Promise<void>;

  /** From the beginning on, things outside are not as they should be. */
  abstract disturb(): Promise<void>;
  /** Something outside breaks for a while. */
  abstract breakAnswers(): Promise<void>;
  /** Everything outside works again. */
  abstract calmDown(): Promise<void>;

  /** Delivers what is waiting to be delivered. */
  abstract flushWebhooks(): Promise<void>;
  /** Whether a delivery was dropped, or given up because nobody took it. */
  abstract wereWebhooksLost(): Promise<boolean>;
  /** Whether no operation and no event is open. */
  abstract isQuiet(): Promise<boolean>;
  /** For each connection when it was swept last with success, or that there is nothing to sweep. */
  abstract sweepMarks(): Promise<readonly unknown[]>;
  /** What a person does when the app asks for it. */
  abstract helpOut(): Promise<void>;
  /** What can only be tried out: whether the app still gets in. */
  abstract proveAccess(): Promise<Finding[]>;
  abstract evidence(): Promise<Omit<Evidence, 'earlier'>>;
  /** The next story must not be kept busy by what this one left open. */
  abstract leave(): Promise<void>;

  /** A client's key: its requests stay distinguishable from all others in the database. */
  newKey(): string {
    this.#keys += 1;
    return `key-${this.id}-${this.#keys}`;
  }

  /** Of the conference. */
  get slug(): string {
    return `story-${this.id}`;
  }

  get api(): 0 | 1 {
    return this.random.chance(0.5) ? 0 : 1;
  }

  get worker(): 0 | 1 {
    return this.random.chance(0.5) ? 0 : 1;
  }

  order(): KnownOrder | undefined {
    return this.pickFrom(this.orders);
  }

  pickFrom<T>(choices: readonly T[]): T | undefined {
    return choices.length === 0 ? undefined : this.random.pick(choices);
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
    const move = this.#beginMove(name, input);
    const answer = await this.system.call(api, name, input);
    if (answer.kind === 'answered' && answer.id !== null) {
      move.isDone = true;
      this.#note(name, input, answer.id);
      onDone?.(answer.id);
    } else if (isWorthRepeating(name, input, answer)) {
      this.unanswered.push({ repeat: () => this.ask(this.api, name, input, onDone) });
    }
  }

  #beginMove(call: CallName, input: Calls[CallName]): Move {
    const move = { input, isDone: false };
    const { orderId } = partsOf(input);
    if (orderId !== undefined && MOVES.has(call)) this.lastMoves.set(orderId, move);
    return move;
  }

  /** Where the invoices are that were switched with success, and not touched by a client since. */
  switched(): ReadonlyMap<string, 'QBO' | 'STRIPE'> {
    const switched = new Map<string, 'QBO' | 'STRIPE'>();
    for (const [orderId, { input, isDone }] of this.lastMoves) {
      if (isDone && 'provider' in input) switched.set(orderId, input.provider);
    }
    return switched;
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
    const target = 'provider' in input ? { provider: input.provider } : {};
    this.told.push({
      call,
      id,
      ...(key !== undefined && { key }),
      ...(orderId !== undefined && { orderId }),
      ...target,
    });
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

const RETRYABLE = new Set([
  'IN_PROGRESS',
  'IDEMPOTENCY_IN_PROGRESS',
  'OUTCOME_UNKNOWN',
  'QBO_UNAVAILABLE',
  'STRIPE_UNAVAILABLE',
]);
/** Asked twice without a key, these would be done twice: that is the client's own fault. */
const NEEDS_KEY = new Set<CallName>([
  'createPurchaseOrder',
  'recordPayment',
  'issueCreditNote',
  'sendQboInvoice',
  'sendStripeInvoice',
]);

function isWorthRepeating(name: CallName, input: Calls[CallName], answer: Answer): boolean {
  const isRepeatable = !NEEDS_KEY.has(name) || 'idempotencyKey' in input;
  return isRepeatable && (answer.kind === 'lost' || answer.codes.some((code) => RETRYABLE.has(code)));
}
