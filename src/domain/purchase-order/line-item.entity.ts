import type { Ref } from '@mikro-orm/core';
import { Check, Entity, ManyToOne, PrimaryKey, Property, Unique } from '@mikro-orm/decorators/legacy';
import type { MinorUnits } from '../money.js';
import { PurchaseOrder } from './purchase-order.entity.js';

@Entity({ tableName: 'line_item' })
@Unique({ properties: ['purchaseOrder', 'position'] })
@Check({ name: 'line_item_quantity_valid', expression: 'quantity >= 1' })
@Check({ name: 'line_item_unit_price_minor_valid', expression: 'unit_price_minor >= 0' })
@Check({
  name: 'line_item_line_total_minor_valid',
  expression: 'line_total_minor = unit_price_minor * quantity and line_total_minor <= 999999999999999',
})
@Check({ name: 'line_item_description_valid', expression: "description <> '' and length(description) <= 300" })
export class LineItem {
  @PrimaryKey({ type: 'text' })
  id!: string;

  @ManyToOne(() => PurchaseOrder, { ref: true, deleteRule: 'restrict' })
  purchaseOrder!: Ref<PurchaseOrder>;

  /** 0 for the first line. */
  @Property({ type: 'integer' })
  position!: number;

  @Property({ type: 'text' })
  description!: string;

  @Property({ type: 'integer' })
  quantity!: number;

  @Property({ type: 'bigint' })
  unitPriceMinor!: MinorUnits;

  @Property({ type: 'bigint' })
  lineTotalMinor!: MinorUnits;
}
