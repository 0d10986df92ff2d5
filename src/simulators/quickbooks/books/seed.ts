import type { ResolvedCompanySettings } from '../company-settings.js';
import { Decimal } from '../decimal.js';
import type { Account, Books, Company, Item, Vendor } from './model.js';

/** Before the simulator ever ran, so that everything seeded is older than everything written. */
const SEEDED_AT = Date.UTC(2026, 0, 5, 17, 0, 0);

const accounts: readonly Account[] = [
  { id: '1', name: 'Services', type: 'Income', subType: 'ServiceFeeIncome' },
  { id: '4', name: 'Undeposited Funds', type: 'Other Current Asset', subType: 'UndepositedFunds' },
  { id: '35', name: 'Checking', type: 'Bank', subType: 'Checking' },
  { id: '84', name: 'Accounts Receivable (A/R)', type: 'Accounts Receivable', subType: 'AccountsReceivable' },
];

function seedItem(id: string, name: string, active: boolean): [string, Item] {
  const form = {
    Name: name,
    Active: active,
    Type: 'Service' as const,
    IncomeAccountRef: { value: '1' },
    UnitPrice: Decimal.zero,
    Taxable: false,
  };
  return [id, { id, syncToken: 0, createdAt: SEEDED_AT, updatedAt: SEEDED_AT, form }];
}

export function newBooks(settings: ResolvedCompanySettings): Books {
  const vendor: Vendor = {
    id: '57',
    syncToken: 0,
    createdAt: SEEDED_AT,
    updatedAt: SEEDED_AT,
    form: { DisplayName: 'Vendor Only Ltd', Active: true },
  };
  return {
    nextTransactionId: 145,
    nextNameId: 58,
    nextItemId: 3,
    nextDocNumber: 1037,
    customers: new Map(),
    vendors: new Map([[vendor.id, vendor]]),
    items: new Map([
      settings.withoutServicesItem ? seedItem('1', 'Consulting', true) : seedItem('1', 'Services', true),
      seedItem('2', 'Retired service (deleted)', false),
    ]),
    accounts: new Map(accounts.map((account) => [account.id, account])),
    invoices: new Map(),
    payments: new Map(),
    creditMemos: new Map(),
    refundReceipts: new Map(),
    tombstones: [],
    emails: [],
    created: new Map(),
    answered: new Map(),
  };
}

export function newCompany(seed: ResolvedCompanySettings): Company {
  return { seed, settings: seed, books: newBooks(seed), aheadMs: 0 };
}
