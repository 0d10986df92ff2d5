import { z } from 'zod';
import { isCurrencyCode } from '../../domain/currency.js';
import { optionalReference, queryRows } from './documents.js';
import type { QboCall } from './http-client.js';
import { queryCall, select } from './query.js';

/** The item that every new QuickBooks company starts with. */
const USUAL_ITEM = 'Services';

export function readCompanyInfoCall(realmId: string): QboCall {
  const path = `companyinfo/${encodeURIComponent(realmId)}`;
  return { operation: 'read_company', effect: 'read', method: 'GET', path };
}

const companyInfo = z.object({ CompanyInfo: z.object({ CompanyName: z.string() }) });

export function readCompanyName(json: unknown): string | undefined {
  return companyInfo.safeParse(json).data?.CompanyInfo.CompanyName;
}

export const readPreferencesCall: QboCall = {
  operation: 'read_preferences',
  effect: 'read',
  method: 'GET',
  path: 'preferences',
};

const preferences = z
  .object({
    Preferences: z.object({
      SalesFormsPrefs: z
        .object({
          CustomTxnNumbers: z.boolean().nullish(),
          // Written as a reference, and as a bare id by some versions.
          DefaultItem: z.union([optionalReference, z.string().transform((value) => ({ value }))]).catch(undefined),
        })
        .nullish(),
      CurrencyPrefs: z.object({
        MultiCurrencyEnabled: z.boolean().nullish(),
        HomeCurrency: z.object({ value: z.string().refine(isCurrencyCode) }),
      }),
    }),
  })
  .transform(({ Preferences: { SalesFormsPrefs, CurrencyPrefs } }) => ({
    homeCurrency: CurrencyPrefs.HomeCurrency.value,
    multiCurrency: CurrencyPrefs.MultiCurrencyEnabled ?? false,
    customDocumentNumbers: SalesFormsPrefs?.CustomTxnNumbers ?? false,
    defaultItemId: SalesFormsPrefs?.DefaultItem?.value || undefined,
  }));

export type CompanyPreferences = z.output<typeof preferences>;

export function readPreferences(json: unknown): CompanyPreferences | undefined {
  return preferences.safeParse(json).data;
}

export const findServicesItemCall: QboCall = queryCall(
  'find_item',
  select('Item', [
    { field: 'Name', equals: USUAL_ITEM },
    { field: 'Active', equals: true },
  ]),
);

const item = z.object({ Id: z.string().min(1), Type: z.string().nullish(), FullyQualifiedName: z.string().nullish() });

/** `id` is undefined when there is no such item. */
export function readServicesItem(json: unknown): { readonly id: string | undefined } | undefined {
  const items = queryRows(json, 'Item', item);
  // A category cannot be sold, and of several items of this name the one outside of categories is meant.
  const sellable = items?.filter(({ Type }) => Type !== 'Category');
  const topLevel = sellable?.find(({ FullyQualifiedName }) => FullyQualifiedName === USUAL_ITEM);
  return sellable && { id: (topLevel ?? sellable[0])?.Id };
}
