import { z } from 'zod';
import { findCurrency } from './currencies.js';

const calendarDay = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);

/** What makes one simulated company different from another. All of it can be changed while it runs. */
export const companySettingsSchema = z.strictObject({
  realmId: z.string().regex(/^\d{1,20}$/),
  companyName: z.string().min(1).default('Simulated Company'),
  country: z.string().length(2).default('US'),
  homeCurrency: z
    .string()
    .refine((code) => findCurrency(code) !== undefined, 'unknown currency')
    .default('USD'),
  multiCurrency: z.boolean().default(false),
  /** The user chooses document numbers: a missing one stays empty and a repeated one is refused (6140). */
  customTxnNumbers: z.boolean().default(false),
  /** `Preferences.SalesFormsPrefs.DefaultItem`. */
  defaultItemId: z.string().nullish(),
  /** The company has no active item named `Services`. */
  withoutServicesItem: z.boolean().default(false),
  onlinePayments: z.boolean().default(true),
  /** Adds this much tax to taxable lines, as decimal text: `'8'` or `'7.25'`. */
  salesTaxPercent: z
    .string()
    .regex(/^\d{1,3}(\.\d{1,6})?$/)
    .nullish(),
  /** Open credit memos are applied to a new invoice at once. */
  autoApplyCredit: z.boolean().default(false),
  /** `Preferences.SalesFormsPrefs.AllowDeposit`: an invoice may bear a deposit. */
  allowDeposit: z.boolean().default(false),
  /** For so long reads and queries show a payment as it was before its latest change, and a new one not at all. */
  paymentReadLagSeconds: z.int().min(0).default(0),
  /** Nothing dated on or before this day can be changed (6210). */
  bookCloseDate: calendarDay.nullish(),
  /** After this long a `requestid` is new again. How long the provider remembers is not documented; by default for ever. */
  requestIdMemorySeconds: z.int().min(0).nullish(),
  /** A repeated `requestid` whose first call is under way, or had another body, is refused (600) instead of answered. */
  refuseRepeatedRequestId: z.boolean().default(false),
  /** A repeated item of a batch is answered with 6000 instead of the first answer, as was seen once. */
  failRepeatedBatchItems: z.boolean().default(false),
  /** The answers of a batch come in the reverse order. */
  shuffleBatchAnswers: z.boolean().default(false),
  /** Change data capture further back than 30 days: answer for 30 days and say nothing, or refuse. */
  changesTooOld: z.enum(['shorten', 'refuse']).default('shorten'),
  /** Ten calls a second, 500 a minute, 40 batches a minute: more are answered with 429. */
  enforceLimits: z.boolean().default(false),
  /** The app has used up its month of reads: they are answered with 429 while writes pass. */
  monthlyReadsExhausted: z.boolean().default(false),
  /** Writes are refused with 6190. */
  subscriptionEnded: z.boolean().default(false),
  /** Sources conflict on voiding an invoice with payments: normally they are unapplied, with this it is refused. */
  refuseVoidOfPaidInvoice: z.boolean().default(false),
  timezone: z.string().default('America/Los_Angeles'),
});

export type CompanySettings = z.input<typeof companySettingsSchema>;
export type ResolvedCompanySettings = Readonly<z.output<typeof companySettingsSchema>>;

export const defaultCompanies: readonly CompanySettings[] = [
  {
    realmId: '9341450000000001',
    companyName: 'Conference Demo Co',
    multiCurrency: true,
    customTxnNumbers: true,
    defaultItemId: '1',
  },
  { realmId: '9341450000000002', companyName: 'Second Company' },
];
