import type { Opt, Ref } from '@mikro-orm/core';
import { Check, Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { CurrencyCode } from '../currency.js';
import { QboConnection } from '../quickbooks/qbo-connection.entity.js';

@Entity({ tableName: 'conference' })
@Check({ name: 'conference_currency_code_valid', expression: "currency_code ~ '^[A-Z]{3}$'" })
@Check({ name: 'conference_slug_valid', expression: "slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(slug) <= 200" })
@Check({ name: 'conference_name_valid', expression: "name <> '' and length(name) <= 200" })
@Check({
  name: 'conference_end_date_valid',
  expression: 'end_date is null or start_date is null or end_date >= start_date',
})
export class Conference {
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Property({ type: 'text', unique: true })
  slug!: string;

  @Property({ type: 'text' })
  name!: string;

  /** Calendar days, `YYYY-MM-DD`. */
  @Property({ type: 'string', columnType: 'date', nullable: true })
  startDate: string | null = null;

  @Property({ type: 'string', columnType: 'date', nullable: true })
  endDate: string | null = null;

  /** IANA name; decides which calendar day it is when an invoice is dated. */
  @Property({ type: 'text' })
  timezone!: string;

  /** The currency new purchase orders get. */
  @Property({ type: 'text', length: 3 })
  currencyCode!: CurrencyCode;

  /** What is printed at the head of documents: address, tax number; free text of several lines. */
  @Property({ type: 'text' })
  letterhead: Opt<string> = '';

  /** Several conferences (yearly editions) may share one company. */
  @ManyToOne(() => QboConnection, { ref: true, nullable: true, deleteRule: 'restrict', index: true })
  qboConnection: Ref<QboConnection> | null = null;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  createdAt!: Date;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  updatedAt!: Date;
}
