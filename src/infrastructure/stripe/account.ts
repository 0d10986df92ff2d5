import { z } from 'zod';
import type { ProvenAccount } from '../../application/ports/billing.js';
import { ACCOUNT_ID } from '../../domain/stripe/stripe-connection.entity.js';
import type { StripeCall } from './client.js';

/** The mode of an account is in its keys; the account itself does not tell it. */
const SECRET_KEY = /^[sr]k_(live|test)_\w{1,250}$/;

/** Undefined: no secret key at all. */
export function modeOf(secretKey: string): 'live' | 'test' | undefined {
  const [, mode] = SECRET_KEY.exec(secretKey) ?? [];
  return mode === 'live' || mode === 'test' ? mode : undefined;
}

const optionalName = z.string().nullish().catch(undefined);

const account = z
  .object({
    id: z.string().regex(ACCOUNT_ID),
    email: optionalName,
    business_profile: z.object({ name: optionalName }).nullish(),
    settings: z.object({ dashboard: z.object({ display_name: optionalName }).nullish() }).nullish(),
  })
  .transform(({ id, email, business_profile, settings }) => ({
    accountId: id,
    accountName: settings?.dashboard?.display_name || business_profile?.name || email || id,
  }));

export const readAccountCall: StripeCall<Pick<ProvenAccount, 'accountId' | 'accountName'>> = {
  operation: 'read_account',
  effect: 'read',
  send: (stripe) => stripe.accounts.retrieveCurrent(),
  read: (answer) => account.safeParse(answer).data,
};
