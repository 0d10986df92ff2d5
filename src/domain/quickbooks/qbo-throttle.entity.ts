import { PrimaryKeyProp, type Ref } from '@mikro-orm/core';
import { Entity, Enum, ManyToOne, Property } from '@mikro-orm/decorators/legacy';
import { QboConnection } from './qbo-connection.entity.js';

export enum QboThrottleBucket {
  CALL = 'CALL',
  /** Batches have a limit of their own besides. */
  BATCH = 'BATCH',
}

/** The place in time of a company's next call, which keeps all processes together below Intuit's limits. */
@Entity({ tableName: 'qbo_throttle' })
export class QboThrottle {
  [PrimaryKeyProp]?: ['connection', 'bucket'];

  @ManyToOne(() => QboConnection, { ref: true, primary: true, deleteRule: 'cascade' })
  connection!: Ref<QboConnection>;

  @Enum({ items: () => QboThrottleBucket, columnType: 'text', primary: true })
  bucket!: QboThrottleBucket;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  nextAt!: Date;
}
