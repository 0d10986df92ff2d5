import type { Ref } from '@mikro-orm/core';
import { Entity, ManyToOne, PrimaryKey, Property, Unique } from '@mikro-orm/decorators/legacy';
import type { CurrencyCode } from '../currency.js';
import { QboConnection } from './qbo-connection.entity.js';

/** Which QuickBooks customer stands for an organisation in a currency: QuickBooks gives each customer one currency. */
@Entity({ tableName: 'qbo_customer' })
@Unique({ properties: ['connection', 'normalizedName', 'currencyCode'] })
export class QboCustomer {
  @PrimaryKey({ type: 'text' })
  id!: string;

  @ManyToOne(() => QboConnection, { ref: true, deleteRule: 'restrict' })
  connection!: Ref<QboConnection>;

  /** See `normalizeOrganizationName`. */
  @Property({ type: 'text' })
  normalizedName!: string;

  @Property({ type: 'text', length: 3 })
  currencyCode!: CurrencyCode;

  @Property({ type: 'text' })
  externalId!: string;

  @Property({ type: 'text' })
  displayName!: string;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  createdAt!: Date;
}
