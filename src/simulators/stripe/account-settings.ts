import { z } from 'zod';
import { isCurrency } from './currencies.js';

const endpointSchema = z.strictObject({
  url: z.url(),
  secret: z.string().min(1),
  /** The types that are sent there; `*` stands for the rest of a name. Default: all. */
  enabledEvents: z.array(z.string()).min(1).default(['*']),
});
export type WebhookEndpoint = Readonly<z.output<typeof endpointSchema>>;

/** What makes one simulated account different from another. All but its id can be changed while it runs. */
export const accountSettingsSchema = z.strictObject({
  accountId: z.string().regex(/^acct_\w+$/),
  /** Changed, the old one is no longer valid. */
  secretKey: z.string().regex(/^(sk|rk)_(test|live)_\w+$/),
  name: z.string().min(1).default('Simulated Account'),
  country: z.string().length(2).default('US'),
  defaultCurrency: z.string().refine(isCurrency, 'unknown currency').default('usd'),
  livemode: z.boolean().default(false),
  webhooks: z.array(endpointSchema).default([]),
  /** What stands for money that was received outside of the provider: nothing documented says whether it is listed. */
  outOfBandPayments: z.enum(['listed', 'unlisted']).default('listed'),
  /** An invoice that is paid in part can be voided. Undocumented; by default it is refused, as with a payment in processing. */
  voidPartlyPaid: z.boolean().default(false),
});

export type AccountSettings = z.input<typeof accountSettingsSchema>;
export type ResolvedAccountSettings = Readonly<z.output<typeof accountSettingsSchema>>;

export const defaultAccounts: readonly AccountSettings[] = [
  { accountId: 'acct_1SimulatorDefault', secretKey: 'sk_test_simulator', name: 'Conference Demo Co' },
];
