import { z } from 'zod';
import { calendarDay, computed, decimal, reference, text, unmodelled } from './input.js';

const salesItemLineDetail = z
  .strictObject({
    ItemRef: reference,
    UnitPrice: decimal,
    Qty: decimal,
    TaxCodeRef: reference,
    ServiceDate: calendarDay,
    ItemAccountRef: computed,
    TaxInclusiveAmt: computed,
    ClassRef: unmodelled,
    DiscountRate: unmodelled,
    DiscountAmt: unmodelled,
    PriceLevelRef: unmodelled,
    MarkupInfo: unmodelled,
    ItemCategoryType: unmodelled,
    TaxClassificationRef: unmodelled,
  })
  .nullish();

/** A line of an invoice or a credit memo. The last line that is read back, the subtotal, may be sent again. */
export const formLineInput = z.strictObject({
  Id: text(20),
  LineNum: computed,
  Description: text(4000),
  Amount: decimal,
  DetailType: z
    .enum(
      ['SalesItemLineDetail', 'DescriptionOnly', 'SubTotalLineDetail', 'DiscountLineDetail', 'GroupLineDetail'],
      '2170',
    )
    .nullish(),
  SalesItemLineDetail: salesItemLineDetail,
  DescriptionLineDetail: z
    .strictObject({ ServiceDate: unmodelled, TaxCodeRef: unmodelled, TaxAmount: unmodelled })
    .nullish(),
  SubTotalLineDetail: computed,
  DiscountLineDetail: unmodelled,
  GroupLineDetail: unmodelled,
  LinkedTxn: unmodelled,
  CustomExtensions: unmodelled,
  CustomField: unmodelled,
});

export type FormLineInput = z.output<typeof formLineInput>;
