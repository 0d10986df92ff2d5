import type { EntityManager } from '@mikro-orm/postgresql';
import type { ActorIdentity } from '../../domain/audit/actor.js';
import type { PurchaseOrderAction } from '../../domain/audit/purchase-order-action.js';
import type { CurrencyCode } from '../../domain/currency.js';
import { type InvoiceProvider, PROVIDER_NAMES } from '../../domain/invoice/invoice.status.js';
import { formatAmount, minorUnits } from '../../domain/money.js';
import { identityOf, systemActor } from '../context.js';

export type InvoiceEventAction =
  | 'CREATED'
  | 'EMAILED'
  | 'VOID_REQUESTED'
  | 'VOIDED'
  | 'CHANGED_AT_PROVIDER'
  | 'SWITCH_REQUESTED'
  | 'SWITCH_GIVEN_UP'
  | 'SWITCHED'
  | 'PAYMENT_BOOKED'
  | 'PAYMENT_REVERSED'
  | 'CREDIT_BOOKED'
  | 'CREDIT_REVERSED';

/** Something that happened to an invoice. */
export interface InvoiceEventView {
  readonly invoiceId: string;
  readonly at: Date;
  readonly action: InvoiceEventAction;
  readonly actor: ActorIdentity;
  /** What happened, for a person. */
  readonly message: string;
}

/** Of each invoice, so that one that is refunded and paid every day cannot make an answer of any size. */
const MOST_RECENT = 100;

/** The actions of the audit trail that concern an invoice. Money has rows of its own, which say more. */
const AUDITED = {
  'invoice.created': 'CREATED',
  'invoice.emailed': 'EMAILED',
  'invoice.void_requested': 'VOID_REQUESTED',
  'invoice.voided': 'VOIDED',
  'invoice.changed_at_provider': 'CHANGED_AT_PROVIDER',
  'invoice.switch_requested': 'SWITCH_REQUESTED',
  'invoice.switch_given_up': 'SWITCH_GIVEN_UP',
  'invoice.switched': 'SWITCHED',
} as const satisfies Partial<Record<`${PurchaseOrderAction}`, InvoiceEventAction>>;

/** Which of our bookings the provider's payments and credits made on the invoice. */
const ON_INVOICE = 'provider_company = invoice.company_id and provider_invoice_id = invoice.external_id';

const MONEY = "jsonb_build_object('amount', amount_minor::text, 'paidOn', paid_on::text, 'reference', reference)";
const CREDIT = "jsonb_build_object('amount', amount_minor::text)";
const TAKEN_BACK = "jsonb_build_object('amount', amount_minor::text, 'reason', reversal.reason)";

/**
 * What was written down of an invoice. Of one moment, a creation comes first, and what is taken back comes before what
 * is booked in its place. An audit event that names no invoice concerns the latest one of its order at that time.
 */
const WRITTEN_DOWN = `
  select case action when 'invoice.created' then 1 else 4 end as place, id, occurred_at as at, action,
         jsonb_build_object('id', actor_id, 'name', actor, 'kind', actor_kind) as actor, before, after as facts
  from audit_event
  where subject = invoice.purchase_order_id and action in (?) and invoice.id = (
    select id from invoice concerned
    where concerned.purchase_order_id = invoice.purchase_order_id and concerned.created_at <= occurred_at
      and (after ->> 'invoice' is null or after ->> 'invoice' = concerned.external_id)
    order by concerned.created_at desc, concerned.id desc limit 1)
  union all
  select 3, id, created_at, 'PAYMENT_BOOKED', null, null, ${MONEY} from payment where ${ON_INVOICE}
  union all
  select 2, reversal.id, reversal.created_at, 'PAYMENT_REVERSED', null, null, ${TAKEN_BACK}
  from payment join payment_reversal reversal on payment_id = payment.id where ${ON_INVOICE}
  union all
  select 3, id, created_at, 'CREDIT_BOOKED', null, null, ${CREDIT} from credit_note where ${ON_INVOICE}
  union all
  select 2, reversal.id, reversal.created_at, 'CREDIT_REVERSED', null, null, ${TAKEN_BACK}
  from credit_note join credit_note_reversal reversal on credit_note_id = credit_note.id where ${ON_INVOICE}`;

/** What happened to the invoices with these ids, oldest first; of each the most recent hundred things. One statement. */
export async function findInvoiceHistories(
  em: EntityManager,
  invoiceIds: readonly string[],
): Promise<InvoiceEventView[]> {
  const rows = await em.execute<Row[]>(
    `select invoice.id as invoice_id, invoice.provider, invoice.currency_code, event.*
     from invoice, lateral (
       select * from (${WRITTEN_DOWN}) as everything order by at desc, place desc, id desc limit ${MOST_RECENT}
     ) as event
     where invoice.id in (?)
     order by invoice.id, at, place, event.id`,
    [Object.keys(AUDITED), invoiceIds],
  );
  return rows.map((row) => ({
    invoiceId: row.invoice_id,
    at: new Date(row.at),
    action: actionOf(row.action),
    actor: row.actor ?? identityOf(systemActor(row.provider)),
    message: messageOf(row),
  }));
}

interface Row {
  readonly invoice_id: string;
  readonly provider: `${InvoiceProvider}`;
  readonly currency_code: CurrencyCode;
  readonly at: Date | string;
  readonly action: keyof typeof AUDITED | Exclude<InvoiceEventAction, (typeof AUDITED)[keyof typeof AUDITED]>;
  /** Null of money, which is booked as its provider says. */
  readonly actor: ActorIdentity | null;
  readonly before: Facts | null;
  readonly facts: Facts | null;
}

/** As the audit trail and the statement above have them. */
type Facts = Readonly<Partial<Record<string, string>>>;

function actionOf(action: Row['action']): InvoiceEventAction {
  return action in AUDITED ? AUDITED[action as keyof typeof AUDITED] : (action as InvoiceEventAction);
}

function messageOf({ action, provider, currency_code: currency, before, facts }: Row): string {
  const { email, total, status, paidOn, reference, reason, message, provider: other } = facts ?? {};
  const name = PROVIDER_NAMES[provider];
  const amount = `${formatAmount(minorUnits(BigInt(facts?.amount ?? '0')), currency)} ${currency}`;
  switch (action) {
    case 'invoice.created':
      return `${name} made it over ${total} ${currency}.`;
    case 'invoice.emailed':
      return email === undefined ? `${name} e-mailed it.` : `${name} e-mailed it to ${email}.`;
    case 'invoice.void_requested':
      return 'It is to be voided.';
    case 'invoice.voided':
      return `It was voided in ${name}.`;
    case 'invoice.changed_at_provider':
      return `It changed in ${name}: ${before?.status} over ${before?.total} became ${status} over ${total}.`;
    case 'invoice.switch_requested':
      return `It is to be replaced by one of ${nameOf(other)}.`;
    case 'invoice.switch_given_up':
      return `It is not replaced after all. ${message}`;
    case 'invoice.switched':
      return 'It took the place of the one at the other provider.';
    case 'PAYMENT_BOOKED':
      return `${amount} was received on ${paidOn}${reference ? ` (${reference})` : ''}.`;
    case 'PAYMENT_REVERSED':
      return `${amount} received before was taken back. ${reason}`;
    case 'CREDIT_BOOKED':
      return `${amount} was credited.`;
    case 'CREDIT_REVERSED':
      return `${amount} credited before was taken back. ${reason}`;
  }
}

function nameOf(provider: string | undefined): string {
  return provider === 'STRIPE' ? PROVIDER_NAMES.STRIPE : PROVIDER_NAMES.QBO;
}
