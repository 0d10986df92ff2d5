import { z } from 'zod';
import type { Evidence, Finding } from '../auditor/evidence.js';
import type { Random } from '../random.js';
import { Stage } from '../stage.js';
import type { Job, System } from '../system.js';
import { type BookInvoice, type BookPayment, type Books, isVoided, readBooks } from './books.js';
import { breakAnswers, calmDown, companySettings, disturbWebhooks, sharpenTokens } from './saboteur.js';
import { type StepName, steps } from './steps.js';

const tokens = z.object({ accessToken: z.string(), refreshToken: z.string() });
const webhooks = z.object({ deliveries: z.array(z.object({ status: z.string() })) });

/** A conference that is connected to a company of its own in QuickBooks. */
export class QuickBooksStage extends Stage {
  override readonly jobs: readonly Job[] = ['processQboEvents', 'resumeOperations', 'sweepQboConnection'];
  /** Ids of invoices whose lines the bookkeeper changed. */
  readonly rewritten = new Set<string>();
  /** Then only a sweep finds out what happened. */
  areWebhooksLost = false;
  mayLoseTokens = true;
  mayRefuseToken = true;
  wasTokenRefused = false;
  #isTaxed = false;

  static async raise(system: System, random: Random): Promise<QuickBooksStage> {
    const { currency, settings } = companySettings(random.fork('company'));
    const stage = new QuickBooksStage(system, random.fork('stage'), currency);
    await stage.openCompany(settings);
    return stage;
  }

  get realmId(): string {
    return this.id;
  }

  protected async openCompany(settings: object): Promise<void> {
    this.#isTaxed = 'salesTaxPercent' in settings;
    const company = { realmId: this.realmId, companyName: 'Story', ...settings };
    await this.system.quickbooks.call('POST', '/companies', company);
  }

  override async connect(): Promise<void> {
    const issued = tokens.parse(await this.system.quickbooks.call('POST', '/tokens', { realmId: this.realmId }));
    const { accessToken, refreshToken } = issued;
    const input = { environment: 'SANDBOX', realmId: this.realmId, accessToken, refreshToken };
    await this.insist('configureQboConnection', { conferenceId: this.conferenceId, ...input });
  }

  override play(step: string): Promise<void> {
    return steps[step as StepName](this);
  }

  override work(worker: 0 | 1, job: Job): Promise<void> {
    return this.system.work(worker, job, this.realmId);
  }

  override async disturb(): Promise<void> {
    await sharpenTokens(this);
    await disturbWebhooks(this);
  }

  override breakAnswers(): Promise<void> {
    return breakAnswers(this);
  }

  override calmDown(): Promise<void> {
    return calmDown(this);
  }

  override async flushWebhooks(): Promise<void> {
    await this.system.quickbooks.call('POST', '/webhooks/flush', { realmId: this.realmId });
  }

  override async wereWebhooksLost(): Promise<boolean> {
    await this.flushWebhooks();
    const { deliveries } = webhooks.parse(
      await this.system.quickbooks.call('GET', `/webhooks?realmId=${this.realmId}`),
    );
    return this.areWebhooksLost || deliveries.some(({ status }) => status === 'failed');
  }

  override async isQuiet(): Promise<boolean> {
    const [row] = await this.system.sql(
      `select (select count(*) from provider_operation o join qbo_connection c on c.id = o.qbo_connection_id
                where realm_id = $1 and state not in ('DONE', 'REFUSED'))
            + (select count(*) from webhook_event where company_id = $1 and state not in ('DONE', 'IGNORED', 'DEAD')) as open`,
      [this.realmId],
    );
    return Number(row?.open) === 0;
  }

  override async sweepMarks(): Promise<readonly unknown[]> {
    const [row] = await this.system.sql(
      `select s.last_swept_at::text as at, (select count(*) from invoice where qbo_connection_id = c.id)::int as invoices
       from qbo_connection c left join qbo_sweep s on s.connection_id = c.id where realm_id = $1`,
      [this.realmId],
    );
    return [row?.invoices === 0 ? Symbol('nothing to sweep') : row?.at];
  }

  /**
   * Only where no client can help it: a process that dies between Intuit's rotation of a token and storing the new one
   * has lost it, and asking again may be punished.
   */
  override async helpOut(): Promise<void> {
    if (this.mayLoseTokens || !this.wasStruck) return;
    const [row] = await this.system.sql('select status from qbo_connection where realm_id = $1', [this.realmId]);
    if (row?.status === 'RECONNECT_REQUIRED') await this.connect();
  }

  /** The tokens that are left open the company: also when the access token ends now. */
  override async proveAccess(): Promise<Finding[]> {
    const { system, realmId } = this;
    const [order] = await system.sql(
      `select purchase_order_id as id from invoice
       where company_id = $1 and external_id is not null and status not in ('VOIDED', 'DELETED')`,
      [`SANDBOX:${realmId}`],
    );
    if (!order) return [];
    // A refresh in the second after another one looks like a concurrent one.
    await system.settle(1_100);
    await system.quickbooks.call('POST', '/expire-tokens', { realmId });
    const answer = await system.call(this.api, 'syncQboInvoiceStatus', { purchaseOrderId: String(order.id) });
    if (answer.kind === 'answered' && answer.id !== null) return [];
    const why = answer.kind === 'answered' ? answer.codes.join() : 'no answer';
    return [{ kind: 'stuck', what: `the tokens do not open the company any more: ${why}` }];
  }

  override async evidence(): Promise<Omit<Evidence, 'earlier'>> {
    const { system, conferenceId, told, rewritten, orders } = this;
    return {
      sql: (text, parameters) => system.sql(text, parameters),
      books: await this.books(),
      conferenceId,
      told,
      rewritten,
      asked: [...this.asked.values()],
      totals: new Map(orders.map(({ id, totalMinor }) => [id, totalMinor])),
      isTaxed: this.#isTaxed,
    };
  }

  override async leave(): Promise<void> {
    const { system, realmId } = this;
    await system.sql(
      `update provider_operation set state = 'REFUSED' where state not in ('DONE', 'REFUSED')
       and qbo_connection_id in (select id from qbo_connection where realm_id = $1)`,
      [realmId],
    );
    await system.sql(`delete from webhook_event where company_id = $1`, [realmId]);
    await system.quickbooks.call('DELETE', `/companies/${realmId}`);
  }

  async books(): Promise<Books> {
    return readBooks(await this.system.quickbooks.text('GET', `/books?realmId=${this.realmId}`));
  }

  /** What the bookkeeper does in QuickBooks; the books may refuse it, e.g. when it was done already. */
  async keepBooks(path: string, order: object): Promise<void> {
    await this.system.quickbooks.attempt(path, { realmId: this.realmId, ...order });
  }

  /** An invoice in the books that is owed something. */
  async openInvoice(): Promise<BookInvoice | undefined> {
    return this.pickFrom((await this.books()).invoices.filter((each) => Number(each.Balance) > 0));
  }

  async liveInvoice(): Promise<BookInvoice | undefined> {
    return this.pickFrom((await this.books()).invoices.filter((each) => !isVoided(each)));
  }

  async payment(): Promise<BookPayment | undefined> {
    return this.pickFrom((await this.books()).payments.filter((each) => Number(each.TotalAmt) > 0));
  }
}
