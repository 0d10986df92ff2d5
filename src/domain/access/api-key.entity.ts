import type { Ref } from '@mikro-orm/core';
import { Check, Entity, Enum, ManyToOne, PrimaryKey, Property, Trigger, Unique } from '@mikro-orm/decorators/legacy';
import { PurchaseOrder } from '../purchase-order/purchase-order.entity.js';

/** What a key grants: exactly one of these, for as long as it lives. */
export enum ApiKeyKind {
  /** Everything. */
  ADMINISTRATOR = 'ADMINISTRATOR',
  /** Roles in conferences; each is an `ApiKeyRole`. */
  ROLES = 'ROLES',
  /** A look at one purchase order, for the portal of its buyer. */
  PURCHASE_ORDER = 'PURCHASE_ORDER',
}

/** Lets a program in. Only a hash of the key is stored; the key itself has 256 random bits, so a plain hash is enough. */
@Entity({ tableName: 'api_key' })
@Unique({
  name: 'api_key_one_live_configured',
  expression: `create unique index "api_key_one_live_configured" on "api_key" ("name") where revoked_at is null and created_by_id = 'system'`,
})
@Check({
  name: 'api_key_purchase_order_check',
  expression: "(kind = 'PURCHASE_ORDER') = (purchase_order_id is not null)",
})
@Check({ name: 'api_key_name_valid', expression: "name <> '' and length(name) <= 100" })
@Trigger({
  name: 'api_key_is_fixed',
  timing: 'before',
  events: ['update'],
  body: `if (new.kind, new.purchase_order_id) is distinct from (old.kind, old.purchase_order_id)
    then raise exception 'what an API key grants never changes' using errcode = 'restrict_violation';
    end if;
    if old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at
    then raise exception 'a revoked API key stays revoked' using errcode = 'restrict_violation';
    end if;
    return new;`,
})
export class ApiKey {
  @PrimaryKey({ type: 'text' })
  id!: string;

  /** For people; audit events also have the id. Several keys may share one: who were refused a name would learn of others. */
  @Property({ type: 'text' })
  name!: string;

  /** SHA-256 of the key, hexadecimal. */
  @Property({ type: 'text', unique: true, lazy: true, hidden: true })
  keyHash!: string;

  /** Its first characters, by which people tell keys apart; far too few to guess the rest. */
  @Property({ type: 'text' })
  prefix!: string;

  @Enum({ items: () => ApiKeyKind, columnType: 'text' })
  kind!: ApiKeyKind;

  @ManyToOne(() => PurchaseOrder, { ref: true, nullable: true, deleteRule: 'restrict', index: true })
  purchaseOrder: Ref<PurchaseOrder> | null = null;

  /** The actor's name, as in audit events. */
  @Property({ type: 'text' })
  createdBy!: string;

  /** The actor's id; `system` of a key that the configuration brought. */
  @Property({ type: 'text', index: true })
  createdById!: string;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  createdAt!: Date;

  /** It does not work from then on; null: it works until it is revoked. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  expiresAt: Date | null = null;

  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  revokedAt: Date | null = null;

  /** To the minute. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  lastUsedAt: Date | null = null;
}
