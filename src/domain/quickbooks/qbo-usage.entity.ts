import { type Opt, PrimaryKeyProp, type Ref } from '@mikro-orm/core';
import { Check, Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { QboConnection } from './qbo-connection.entity.js';

/** Successful calls of one month (UTC). Intuit meters the reads; writes are free. */
@Entity({ tableName: 'qbo_usage' })
@Check({ name: 'qbo_usage_month_valid', expression: 'extract(day from month) = 1' })
@Check({ name: 'qbo_usage_counts_valid', expression: 'reads >= 0 and writes >= 0' })
export class QboUsage {
  [PrimaryKeyProp]?: ['connection', 'month'];

  @ManyToOne(() => QboConnection, { ref: true, primary: true, deleteRule: 'cascade' })
  connection!: Ref<QboConnection>;

  /** Its first day. */
  @PrimaryKey({ type: 'date' })
  month!: string;

  @Property({ type: 'integer' })
  reads: Opt<number> = 0;

  @Property({ type: 'integer' })
  writes: Opt<number> = 0;
}
