import { Check, Entity, Index, PrimaryKey, Property, Unique } from '@mikro-orm/decorators/legacy';

/** Remembers what a client's `idempotencyKey` created, so that the same request gets the same answer. */
@Entity({ tableName: 'client_idempotency_key' })
@Unique({ properties: ['actor', 'mutation', 'key'] })
@Index({ properties: ['createdAt'] })
@Index({ properties: ['resultId'] })
@Check({ name: 'client_idempotency_key_key_valid', expression: 'length(key) >= 8 and length(key) <= 255' })
export class ClientIdempotencyKey {
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Property({ type: 'text' })
  actor!: string;

  @Property({ type: 'text' })
  mutation!: string;

  @Property({ type: 'text' })
  key!: string;

  /** SHA-256 of the input, to tell a repetition from another request under the same key. */
  @Property({ type: 'text' })
  inputHash!: string;

  /** The id of what was created. */
  @Property({ type: 'text' })
  resultId!: string;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  createdAt!: Date;
}
