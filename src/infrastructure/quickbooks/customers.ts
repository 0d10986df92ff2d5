import { z } from 'zod';
import type { CustomerDraft, ProviderCustomer } from '../../application/ports/accounting.js';
import type { CurrencyCode } from '../../domain/currency.js';
import { cut, singleLine } from '../text.js';
import { freeFormAddress } from './address.js';
import { optionalReference, queryRows } from './documents.js';
import { emailAddress } from './email.js';
import type { QboCall } from './http-client.js';
import { ACTIVE_OR_NOT, queryCall, select } from './query.js';

const MAX_DISPLAY_NAME = 500;
const MAX_PERSON_NAME = 100;
const MAX_COMPANY_NAME = 100;
const MAX_CHECK_NAME = 110;

/** Stands for a name of which nothing that QuickBooks allows is left. */
const NAMELESS = 'Unnamed organisation';

/**
 * Display names to try, best first. QuickBooks wants them unique among customers, vendors and employees, so the plain
 * name may belong to a vendor, or to a customer in another currency.
 */
export function customerNameCandidates(organizationName: string, currency: CurrencyCode): string[] {
  const name = legalName(organizationName) || NAMELESS;
  return ['', ` (${currency})`, ' (2)', ' (3)', ' (4)'].map(
    (suffix) => cut(name, MAX_DISPLAY_NAME - suffix.length) + suffix,
  );
}

/** In names QuickBooks allows no colon (it separates sub-customers), tab or line break. */
function legalName(text: string): string {
  return singleLine(text.normalize('NFC').replaceAll(':', ' '));
}

/** The body of a create request. Absent texts are left out: QuickBooks takes `""` for a value. */
export function customerBody(draft: CustomerDraft): string {
  const contactName = cut(legalName(draft.contactName), MAX_PERSON_NAME);
  const email = emailAddress(draft.email);
  const address = freeFormAddress(draft.billingAddress);
  return JSON.stringify({
    DisplayName: draft.displayName,
    CompanyName: cut(legalName(draft.organizationName), MAX_COMPANY_NAME) || undefined,
    // The whole name: splitting it would guess which part is the family name.
    GivenName: contactName || undefined,
    // Derived from the person's name unless given, and cheques are made out to the organisation.
    PrintOnCheckName: cut(legalName(draft.organizationName), MAX_CHECK_NAME) || undefined,
    PrimaryEmailAddr: email,
    BillAddr: address,
    CurrencyRef: draft.currency && { value: draft.currency },
  });
}

export function createCustomerCall(body: string, idempotencyKey: string): QboCall {
  const operation = 'create_customer';
  const contentType = 'application/json';
  return { operation, effect: 'write', method: 'POST', path: 'customer', body, contentType, idempotencyKey };
}

/** One query for all names: QuickBooks compares them without regard to case. */
export function findCustomersCall(names: readonly string[]): QboCall {
  return queryCall('find_customers', select('Customer', [{ field: 'DisplayName', in: names }, ACTIVE_OR_NOT]));
}

const customer = z
  .object({
    Id: z.string().min(1),
    DisplayName: z.string(),
    Active: z.boolean().nullish(),
    CurrencyRef: optionalReference,
  })
  .transform(
    ({ Id, DisplayName, Active, CurrencyRef }): ProviderCustomer => ({
      externalId: Id,
      displayName: DisplayName,
      active: Active ?? true,
      currency: CurrencyRef?.value,
    }),
  );

export function readCustomer(json: unknown): ProviderCustomer | undefined {
  return z.object({ Customer: customer }).safeParse(json).data?.Customer;
}

export function readCustomers(json: unknown): ProviderCustomer[] | undefined {
  return queryRows(json, 'Customer', customer);
}
