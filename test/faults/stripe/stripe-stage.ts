import { z } from 'zod';
import type { Evidence, Finding } from '../auditor/evidence.js';
import { QuickBooksStage } from '../quickbooks/quickbooks-stage.js';
import { companySettings } from '../quickbooks/saboteur.js';
import type { Random } from '../random.js';
import type { Job, System } from '../system.js';
import {
  isLive,
  isProcessing,
  readStripeBooks,
  type StripeBooks,
  type StripeCharge,
  type StripeInvoice,
  type StripePayment,
} from './books.js';
import { accountSettings, breakAnswers, calmDown, disturbWebhooks } from './saboteur.js';
import { type StepName, steps } from './steps.js';

const webhooks = z.object({ deliveries: z.array(z.object({ status: z.string() })) });

/** A conference that is connected to a Stripe account of its own, and to a company in QuickBooks, to switch to and from. */
export class StripeStage extends QuickBooksStage {
  override readonly jobs: readonly Job[] = [
    'processStripeEvents',
    'resumeOperations',
    'sweepStripeConnection',
    'processQboEvents',
    'sweepQboConnection',
  ];
  /** Then only a sweep finds out what happened at Stripe. */
  areStripeWebhooksLost = false;
  #keys = 1;
  #isKeyKnown = false;

  static override async raise(system: System, random: Random): Promise<StripeStage> {
    const { currency, settings } = companySettings(random.fork('company'));
    const account = accountSettings(random.fork('account'));
    const stage = new StripeStage(system, random.fork('stage'), currency);
    await stage.openCompany(settings);
    await stage.#openAccount(account);
    return stage;
  }

  get accountId(): string {
    return `acct_${this.id}`;
  }

  get endpoint(): { readonly url: string; readonly secret: string } {
    return { url: `${this.system.stripeWebhooksUrl}/${this.slug}`, secret: `whsec_${this.id}` };
  }

  get #secretKey(): string {
    return `sk_test_${this.id}v${this.#keys}`;
  }

  async #openAccount(settings: object): Promise<void> {
    const { accountId, endpoint } = this;
    const account = { accountId, secretKey: this.#secretKey, webhooks: [endpoint], ...settings };
    await this.system.stripe.call('POST', '/accounts', account);
  }

  override async connect(): Promise<void> {
    await super.connect();
    await this.connectStripe();
  }

  async connectStripe(): Promise<void> {
    const { conferenceId, endpoint } = this;
    const input = { conferenceId, secretKey: this.#secretKey, webhookSecret: endpoint.secret, daysUntilDue: 30 };
    await this.insist('configureStripe', input);
    this.#isKeyKnown = true;
  }

  /** Somebody rolls the key in Stripe, and here nobody knows yet. */
  async rollKey(): Promise<void> {
    this.#keys += 1;
    this.#isKeyKnown = false;
    await this.system.stripe.call('PATCH', `/accounts/${this.accountId}`, { secretKey: this.#secretKey });
  }

  override play(step: string): Promise<void> {
    return steps[step as StepName](this);
  }

  override async work(worker: 0 | 1, job: Job): Promise<void> {
    const isOfStripe = job === 'processStripeEvents' || job === 'sweepStripeConnection';
    if (!isOfStripe) return super.work(worker, job);
    const connectionId = await this.#connectionId();
    if (connectionId !== undefined) await this.system.work(worker, job, connectionId);
  }

  async #connectionId(): Promise<string | undefined> {
    const [row] = await this.system.sql('select id from stripe_connection where conference_id = $1', [
      this.conferenceId,
    ]);
    return row && String(row.id);
  }

  override disturb(): Promise<void> {
    return disturbWebhooks(this);
  }

  /** Mostly Stripe's; a switch also needs QuickBooks. */
  override breakAnswers(): Promise<void> {
    return this.random.chance(0.1) ? super.breakAnswers() : breakAnswers(this);
  }

  override async calmDown(): Promise<void> {
    await super.calmDown();
    await calmDown(this);
  }

  override async flushWebhooks(): Promise<void> {
    await super.flushWebhooks();
    await this.system.stripe.call('POST', '/webhooks/flush', { accountId: this.accountId });
  }

  override async wereWebhooksLost(): Promise<boolean> {
    const wereQuickBooksLost = await super.wereWebhooksLost();
    const listed = await this.system.stripe.call('GET', `/webhooks?accountId=${this.accountId}`);
    const hasFailed = webhooks.parse(listed).deliveries.some(({ status }) => status === 'failed');
    return wereQuickBooksLost || this.areStripeWebhooksLost || hasFailed;
  }

  override async isQuiet(): Promise<boolean> {
    const [row] = await this.system.sql(
      `with connection as (select id from stripe_connection where conference_id = $1)
       select (select count(*) from provider_operation where stripe_connection_id in (select id from connection)
                and state not in ('DONE', 'REFUSED'))
            + (select count(*) from webhook_event where company_id in (select id from connection)
                and state not in ('DONE', 'IGNORED', 'DEAD')) as open`,
      [this.conferenceId],
    );
    return Number(row?.open) === 0 && (await super.isQuiet());
  }

  override async sweepMarks(): Promise<readonly unknown[]> {
    const [row] = await this.system.sql(
      'select sweep_due_at::text as at, sweep_error as error from stripe_connection where conference_id = $1',
      [this.conferenceId],
    );
    const mark = row?.error === null ? row.at : undefined;
    return [...(await super.sweepMarks()), mark];
  }

  /** A person gives the app the new key, also when the app did not notice yet that it needs one. */
  override async helpOut(): Promise<void> {
    await super.helpOut();
    const [row] = await this.system.sql('select status from stripe_connection where conference_id = $1', [
      this.conferenceId,
    ]);
    if (!this.#isKeyKnown || row?.status === 'RECONNECT_REQUIRED') await this.connectStripe();
  }

  /** The key is used by every job already. */
  override async proveAccess(): Promise<Finding[]> {
    return [];
  }

  override async evidence(): Promise<Omit<Evidence, 'earlier'>> {
    const { timezone } = this;
    const connectionId = (await this.#connectionId()) ?? '';
    const stripe = { books: await this.stripeBooks(), connectionId, timezone, switched: this.switched() };
    return { ...(await super.evidence()), stripe };
  }

  override async leave(): Promise<void> {
    const connectionId = await this.#connectionId();
    await super.leave();
    await this.system.sql(
      `update provider_operation set state = 'REFUSED' where state not in ('DONE', 'REFUSED') and stripe_connection_id = $1`,
      [connectionId],
    );
    await this.system.sql(`delete from webhook_event where company_id = $1`, [connectionId]);
    // It must not be swept any more.
    await this.system.sql(`update stripe_connection set sweep_due_at = 'infinity' where id = $1`, [connectionId]);
    await this.system.stripe.call('DELETE', `/accounts/${this.accountId}`);
  }

  async stripeBooks(): Promise<StripeBooks> {
    return readStripeBooks(await this.system.stripe.call('GET', `/books?accountId=${this.accountId}`));
  }

  /** What buyers, banks and people do in Stripe; it may refuse it, e.g. when it was done already. */
  async actInStripe(path: string, order: object): Promise<void> {
    await this.system.stripe.attempt(path, { accountId: this.accountId, ...order });
  }

  async openStripeInvoice(): Promise<StripeInvoice | undefined> {
    const { invoices } = await this.stripeBooks();
    return this.pickFrom(invoices.filter(({ status }) => status === 'open' || status === 'uncollectible'));
  }

  async liveStripeInvoice(): Promise<StripeInvoice | undefined> {
    return this.pickFrom((await this.stripeBooks()).invoices.filter(isLive));
  }

  async draft(): Promise<StripeInvoice | undefined> {
    return this.pickFrom((await this.stripeBooks()).invoices.filter(({ status }) => status === 'draft'));
  }

  /** Money that was received and of which something is left. */
  async charge(): Promise<StripeCharge | undefined> {
    const { charges } = await this.stripeBooks();
    return this.pickFrom(charges.filter((each) => each.status === 'succeeded' && each.amount_refunded < each.amount));
  }

  async debit(): Promise<StripePayment | undefined> {
    const books = await this.stripeBooks();
    return this.pickFrom(books.invoicePayments.filter((payment) => isProcessing(payment, books)));
  }

  async sentRefund(): Promise<StripeBooks['refunds'][number] | undefined> {
    return this.pickFrom((await this.stripeBooks()).refunds.filter(({ status }) => status === 'succeeded'));
  }

  async openDispute(): Promise<StripeBooks['disputes'][number] | undefined> {
    return this.pickFrom((await this.stripeBooks()).disputes.filter(({ status }) => status === 'needs_response'));
  }

  async creditNote(): Promise<StripeBooks['creditNotes'][number] | undefined> {
    return this.pickFrom((await this.stripeBooks()).creditNotes.filter(({ status }) => status === 'issued'));
  }
}
