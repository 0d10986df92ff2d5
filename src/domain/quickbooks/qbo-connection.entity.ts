import type { Opt } from '@mikro-orm/core';
import { Check, Entity, Enum, PrimaryKey, Property, Unique } from '@mikro-orm/decorators/legacy';

export enum QboEnvironment {
  SANDBOX = 'SANDBOX',
  PRODUCTION = 'PRODUCTION',
}

export enum QboConnectionStatus {
  CONNECTED = 'CONNECTED',
  RECONNECT_REQUIRED = 'RECONNECT_REQUIRED',
}

/**
 * A QuickBooks company we may act in. One row per environment and realm, shared by every conference of that company:
 * QuickBooks rotates refresh tokens, so two copies of one token chain would break each other.
 */
@Entity({ tableName: 'qbo_connection' })
@Unique({ properties: ['environment', 'realmId'] })
@Check({ name: 'qbo_connection_realm_id_valid', expression: "realm_id ~ '^[0-9]{1,30}$'" })
export class QboConnection {
  @PrimaryKey({ type: 'text' })
  id!: string;

  @Enum({ items: () => QboEnvironment, columnType: 'text' })
  environment!: QboEnvironment;

  /** Intuit's id of the company. */
  @Property({ type: 'text' })
  realmId!: string;

  @Property({ type: 'text' })
  companyName!: string;

  @Enum({ items: () => QboConnectionStatus, columnType: 'text' })
  status!: QboConnectionStatus;

  /** The endpoint said it is a simulator when the connection was proven. Refused in production. */
  @Property({ type: 'boolean' })
  simulated!: boolean;

  /** Sealed texts (`SecretBox`), never loaded unless a query asks for them by name. */
  @Property({ type: 'text', lazy: true, hidden: true })
  accessToken!: string;

  @Property({ type: 'text', lazy: true, hidden: true })
  refreshToken!: string;

  /** The refresh token before the last change, which Intuit honours for a day. */
  @Property({ type: 'text', nullable: true, lazy: true, hidden: true })
  previousRefreshToken: string | null = null;

  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  refreshTokenChangedAt: Date | null = null;

  /** The Intuit app this connection was made with; null: the one of the environment variables. */
  @Property({ type: 'text', nullable: true })
  clientId: string | null = null;

  @Property({ type: 'text', nullable: true, lazy: true, hidden: true })
  clientSecret: string | null = null;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  accessTokenExpiresAt!: Date;

  /** The last refresh; null: the access token is the one that a person gave. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  refreshedAt: Date | null = null;

  /** End of the refresh token's rolling life (about 100 days), when Intuit told it. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  refreshTokenExpiresAt: Date | null = null;

  /** The five years after which a person must connect the company anew, when Intuit told it. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  refreshTokenHardExpiresAt: Date | null = null;

  /** Counts token changes: a reader that was refused with version n waits for n + 1. */
  @Property({ type: 'integer' })
  tokenVersion: Opt<number> = 1;

  /** Fencing number of the latest refresher: only its holder may store tokens. */
  @Property({ type: 'integer' })
  refreshFence: Opt<number> = 0;

  /** While in the future, somebody is asking Intuit for new tokens, or nobody may because that just failed. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  refreshLeaseUntil: Date | null = null;

  /** QuickBooks answered 429: until then nothing is read. Other than writes, reads are metered and can use up a quota. */
  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  readsPausedUntil: Date | null = null;

  /** Pauses without a successful read in between. */
  @Property({ type: 'integer' })
  readsPauses: Opt<number> = 0;

  @Property({ type: 'Date', columnType: 'timestamptz(3)', nullable: true })
  writesPausedUntil: Date | null = null;

  @Property({ type: 'integer' })
  writesPauses: Opt<number> = 0;

  /** The item to put on invoice lines, as configured by a person. */
  @Property({ type: 'text', nullable: true })
  serviceItemId: string | null = null;

  /** Company facts that are read once and kept; null until read. */
  @Property({ type: 'json', columnType: 'jsonb', nullable: true })
  settings: QboCompanySettings | null = null;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  createdAt!: Date;

  @Property({ type: 'Date', columnType: 'timestamptz(3)' })
  updatedAt!: Date;
}

/** Under which invoices and payments know the company, e.g. `SANDBOX:123`. */
export function companyIdOf({ environment, realmId }: Pick<QboConnection, 'environment' | 'realmId'>): string {
  return `${environment}:${realmId}`;
}

export interface QboCompanySettings {
  readonly homeCurrency: string;
  readonly multiCurrency: boolean;
  readonly customDocumentNumbers: boolean;
  readonly serviceItemId?: string;
  /** They may have changed: before they are used again they are read anew, unless reads are paused. */
  readonly isStale?: true;
}
