import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** Lets a program in. Only a hash of the key is stored; the key itself has 256 random bits, so a plain hash is enough. */
@Entity({ tableName: 'api_key' })
export class ApiKey {
  @PrimaryKey({ type: 'text' })
  id!: string;

  /** Who it stands for in audit events. */
  @Property({ type: 'text', unique: true })
  name!: string;

  /** SHA-256 of the key, hexadecimal. */
  @Property({ type: 'text', unique: true, lazy: true, hidden: true })
  keyHash!: string;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  createdAt!: Date;

  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  revokedAt: Date | null = null;
}
