import type { Account, Item, Vendor } from '../books/model.js';
import type { Work } from '../books/work.js';
import { currencyOf } from '../currencies.js';
import { Decimal } from '../decimal.js';
import { duplicateName, requiredMissing, unsupported } from '../faults.js';
import { type JsonObject, toJson, withoutEmpty } from '../json.js';
import { parseInput } from './input.js';
import { type ItemForm, itemInput } from './item-input.js';
import { checkAccount } from './references.js';
import { currentVersion, envelope, refuseWhenEnded, touch } from './shared.js';

const DELETED_SUFFIX = ' (deleted)';

export function createItem(work: Work, body: unknown): Item {
  refuseWhenEnded(work);
  const form = completeForm(work, parseInput('Item', itemInput, body));
  const id = `${work.books.nextItemId}`;
  refuseTakenName(work, form.Name, id);
  work.books.nextItemId += 1;
  const item: Item = { id, syncToken: 0, createdAt: work.recordedAt, updatedAt: work.recordedAt, form };
  work.books.items.set(id, item);
  work.announce('Item', id, 'created');
  return item;
}

export function updateItem(work: Work, body: unknown): Item {
  refuseWhenEnded(work);
  const input = parseInput('Item', itemInput, body);
  const item = currentVersion(work.books.items, input);
  const base = input.sparse === true ? item.form : { Type: item.form.Type };
  const merged = completeForm(work, { ...base, ...input });
  const deactivated = item.form.Active && !merged.Active;
  const form = deactivated ? { ...merged, Name: `${merged.Name}${DELETED_SUFFIX}` } : merged;
  refuseTakenName(work, form.Name, item.id);
  if (toJson(item.form) === toJson(form)) return item;
  item.form = form;
  touch(item, work);
  work.announce('Item', item.id, 'updated');
  return item;
}

function completeForm(work: Work, input: ItemForm): Item['form'] {
  const { Id: _id, SyncToken: _token, sparse: _sparse, ...fields } = input;
  if (!input.Name) throw requiredMissing('Name');
  if (input.Type !== 'Service') throw unsupported(`for an item of type ${input.Type ?? 'Inventory'}`);
  if (input.IncomeAccountRef == null) throw requiredMissing('IncomeAccountRef');
  checkAccount(work, input.IncomeAccountRef.value);
  return { ...fields, Name: input.Name, Active: input.Active ?? true };
}

function refuseTakenName(work: Work, name: string, exceptId: string): void {
  for (const item of work.books.items.values()) {
    if (item.id !== exceptId && item.form.Name.toLowerCase() === name.toLowerCase()) throw duplicateName();
  }
}

export function presentItem(work: Work, item: Item): JsonObject {
  const account = work.books.accounts.get(item.form.IncomeAccountRef?.value ?? '');
  return withoutEmpty({
    Taxable: false,
    UnitPrice: Decimal.zero,
    PurchaseCost: Decimal.zero,
    ...withoutEmpty({ ...item.form }),
    FullyQualifiedName: item.form.Name,
    IncomeAccountRef: account === undefined ? undefined : { value: account.id, name: account.name },
    TrackQtyOnHand: false,
    DeferredRevenue: false,
    ...envelope(item),
  });
}

export function presentVendor(work: Work, vendor: Vendor): JsonObject {
  const home = work.settings.homeCurrency;
  return {
    DisplayName: vendor.form.DisplayName,
    PrintOnCheckName: vendor.form.DisplayName,
    Active: vendor.form.Active,
    Balance: Decimal.zero,
    CurrencyRef: { value: home, name: currencyOf(home).name },
    ...envelope(vendor),
  };
}

export function presentAccount(work: Work, account: Account): JsonObject {
  const home = work.settings.homeCurrency;
  return {
    Name: account.name,
    FullyQualifiedName: account.name,
    Active: true,
    AccountType: account.type,
    AccountSubType: account.subType,
    CurrencyRef: { value: home, name: currencyOf(home).name },
    domain: 'QBO',
    sparse: false,
    Id: account.id,
    SyncToken: '0',
  };
}
