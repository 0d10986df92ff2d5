import type { Ref } from '@mikro-orm/core';
import { Check, Entity, Index, OneToOne, Property } from '@mikro-orm/decorators/legacy';
import { QboConnection } from './qbo-connection.entity.js';

/** How far a company's changes were followed, apart from webhooks, and when they are looked at next. */
@Entity({ tableName: 'qbo_sweep' })
@Check({ name: 'qbo_sweep_watermark_check', expression: '(watermark is null) = (last_swept_at is null)' })
export class QboSweep {
  @OneToOne(() => QboConnection, { ref: true, primary: true, deleteRule: 'restrict', owner: true })
  connection!: Ref<QboConnection>;

  /** By the provider's clock: every change before it was looked at. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  watermark: Date | null = null;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  @Index()
  nextSweepAt!: Date;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  lastRunAt!: Date;

  /** The last time that it succeeded. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  lastSweptAt: Date | null = null;

  /** When a sweep last found something that a webhook should have told. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  gapSeenAt: Date | null = null;

  /** When a webhook last came in. Kept here, because events are not kept for ever. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  webhookSeenAt: Date | null = null;

  /** Why the last run failed; null when it did not. */
  @Property({ type: 'text', nullable: true })
  lastError: string | null = null;
}
