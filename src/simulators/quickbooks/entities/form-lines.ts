import type { FormLine } from '../books/model.js';
import type { Work } from '../books/work.js';
import { currencyOf, wireAmount } from '../currencies.js';
import { Decimal } from '../decimal.js';
import { amountNotProduct, fieldFault, requiredMissing, unsupported } from '../faults.js';
import { type JsonObject, withoutEmpty } from '../json.js';
import type { FormLineInput } from './line-input.js';
import { activeItem } from './references.js';

/** Reads the lines of an invoice or a credit memo. Lines keep their id; new ones get the next one never used before. */
export function readLines(
  work: Work,
  inputs: readonly FormLineInput[],
  currency: string,
  previous: readonly FormLine[],
): FormLine[] {
  // The subtotal line is the provider's own: one that is sent back is dropped and written anew.
  const own = inputs.filter((input) => input.DetailType !== 'SubTotalLineDetail');
  if (!own.some((input) => input.DetailType !== 'DescriptionOnly')) throw requiredMissing('Line');
  let last = highestId([...own.map((input) => input.Id ?? ''), ...previous.map((line) => line.id)]);
  const nextId = () => {
    last += 1n;
    return `${last}`;
  };
  return own.map((input) => readLine(work, input, input.Id ?? nextId(), currency));
}

function highestId(ids: readonly string[]): bigint {
  let highest = 0n;
  for (const id of ids) if (/^\d+$/.test(id) && BigInt(id) > highest) highest = BigInt(id);
  return highest;
}

/** The lines as they were sent, with the ids they have now, so that a sparse update finds them again. */
export function linesWithIds(inputs: readonly FormLineInput[], lines: readonly FormLine[]): FormLineInput[] {
  return inputs
    .filter((input) => input.DetailType !== 'SubTotalLineDetail')
    .map((input, index) => ({ ...input, Id: lines[index]?.id }));
}

function readLine(work: Work, input: FormLineInput, id: string, currency: string): FormLine {
  const description = input.Description ?? undefined;
  switch (input.DetailType) {
    case 'SalesItemLineDetail':
      return readSalesLine(work, input, id, currency);
    case 'DescriptionOnly':
      return { ...emptyLine(id), kind: 'DescriptionOnly', description };
    case undefined:
    case null:
      throw requiredMissing('Line.DetailType');
    default:
      throw unsupported(`with a line of type ${input.DetailType}`);
  }
}

function emptyLine(id: string): Omit<FormLine, 'kind' | 'description'> {
  const nothing = { itemId: undefined, unitPrice: undefined, quantity: undefined };
  return { id, amount: Decimal.zero, ...nothing, taxCode: undefined, serviceDate: undefined };
}

function readSalesLine(work: Work, input: FormLineInput, id: string, currency: string): FormLine {
  const detail = input.SalesItemLineDetail;
  if (input.Amount == null) throw requiredMissing('Line.Amount');
  if (detail == null) throw requiredMissing('Line.SalesItemLineDetail');
  // Sources disagree on what a line without an item means, so this simulator does not guess.
  if (detail.ItemRef == null) throw unsupported('with a sales line without ItemRef');
  checkAmount(input.Amount, detail.UnitPrice, detail.Qty, currency);
  const item = activeItem(work, detail.ItemRef.value);
  return {
    id,
    kind: 'SalesItemLineDetail',
    description: input.Description ?? undefined,
    amount: input.Amount,
    itemId: item.id,
    unitPrice: detail.UnitPrice ?? undefined,
    quantity: detail.Qty ?? undefined,
    taxCode: readTaxCode(work, detail.TaxCodeRef?.value, item.form.Taxable === true),
    serviceDate: detail.ServiceDate ?? undefined,
  };
}

/** The product is taken at the precision that was sent and only then rounded to the currency's digits. */
function checkAmount(
  amount: Decimal,
  unitPrice: Decimal | null | undefined,
  quantity: Decimal | null | undefined,
  currency: string,
): void {
  const { digits } = currencyOf(currency);
  if (!amount.fitsIn(digits)) throw fieldFault('2110', 'Line.Amount');
  if (unitPrice == null || quantity == null) return;
  if (!unitPrice.times(quantity).roundTo(digits).equals(amount))
    throw amountNotProduct(amount.roundTo(digits).toString());
}

/** Companies in the United States know two codes; which one is the default depends on the item. */
function readTaxCode(work: Work, code: string | undefined, itemIsTaxable: boolean): string {
  const taxed = itemIsTaxable || work.settings.salesTaxPercent != null;
  if (code === undefined) return taxed ? 'TAX' : 'NON';
  if (code !== 'TAX' && code !== 'NON') throw fieldFault('2170', 'Line.SalesItemLineDetail.TaxCodeRef');
  return code;
}

export function subtotalOf(lines: readonly FormLine[]): Decimal {
  return Decimal.sum(lines.map((line) => line.amount));
}

export function taxableTotal(lines: readonly FormLine[]): Decimal {
  return Decimal.sum(lines.filter((line) => line.taxCode === 'TAX').map((line) => line.amount));
}

/** Amounts and quantities become zero; what was sold stays readable. */
export function zeroLines(lines: readonly FormLine[]): FormLine[] {
  return lines.map((line) => ({
    ...line,
    amount: Decimal.zero,
    quantity: line.quantity === undefined ? undefined : Decimal.zero,
  }));
}

export function presentLines(work: Work, lines: readonly FormLine[], currency: string): JsonObject[] {
  const shown = lines.map((line, index) => presentLine(work, line, index + 1, currency));
  const subtotal = wireAmount(subtotalOf(lines), currency);
  return [...shown, { Amount: subtotal, DetailType: 'SubTotalLineDetail', SubTotalLineDetail: {} }];
}

function presentLine(work: Work, line: FormLine, number: number, currency: string): JsonObject {
  const head = { Id: line.id, LineNum: number, Description: line.description };
  if (line.kind === 'DescriptionOnly') {
    return withoutEmpty({ ...head, DetailType: line.kind, DescriptionLineDetail: {}, CustomExtensions: [] });
  }
  // Names are looked up on every read: renaming an item shows in old invoices at once.
  const item = work.books.items.get(line.itemId ?? '');
  const account = work.books.accounts.get(item?.form.IncomeAccountRef?.value ?? '');
  return withoutEmpty({
    ...head,
    Amount: wireAmount(line.amount, currency),
    DetailType: line.kind,
    SalesItemLineDetail: withoutEmpty({
      ServiceDate: line.serviceDate,
      ItemRef: { value: line.itemId, name: item?.form.Name },
      UnitPrice: line.unitPrice,
      Qty: line.quantity,
      ItemAccountRef: account === undefined ? undefined : { value: account.id, name: account.name },
      TaxCodeRef: { value: line.taxCode },
    }),
    CustomExtensions: [],
  });
}
