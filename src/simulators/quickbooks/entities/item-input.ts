import { z } from 'zod';
import { computed, decimal, envelopeFields, flag, nameText, oneOf, reference, text, unmodelled } from './input.js';

/** Every property of an Item that the provider knows. Only services are modelled. */
export const itemInput = z.strictObject({
  ...envelopeFields,
  Name: nameText(100),
  Active: flag,
  Type: oneOf(['Service', 'NonInventory', 'Inventory', 'Group', 'Category']),
  Description: text(4000),
  Sku: text(100),
  Taxable: flag,
  UnitPrice: decimal,
  IncomeAccountRef: reference,
  PurchaseCost: decimal,
  PurchaseDesc: unmodelled,
  ExpenseAccountRef: unmodelled,
  AssetAccountRef: unmodelled,
  InvStartDate: unmodelled,
  QtyOnHand: unmodelled,
  TrackQtyOnHand: unmodelled,
  SubItem: unmodelled,
  ParentRef: unmodelled,
  SalesTaxCodeRef: unmodelled,
  PurchaseTaxCodeRef: unmodelled,
  SalesTaxIncluded: unmodelled,
  PurchaseTaxIncluded: unmodelled,
  PrefVendorRef: unmodelled,
  ClassRef: unmodelled,
  ReorderPoint: unmodelled,
  TaxClassificationRef: unmodelled,
  FullyQualifiedName: computed,
  Level: computed,
  DeferredRevenue: computed,
});

export type ItemForm = z.output<typeof itemInput>;
