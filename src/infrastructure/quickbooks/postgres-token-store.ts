import type { MikroORM } from '@mikro-orm/postgresql';
import { z } from 'zod';
import type { TokenClaim } from '../../application/ports/accounting.js';
import { recording } from '../../application/transaction.js';
import type { Waits } from '../../application/waits.js';
import type { SealedTokens, StoredConnection, TokenStore } from './token-store.js';

const connectionRow = z
  .object({
    id: z.string(),
    environment: z.enum(['SANDBOX', 'PRODUCTION']),
    realm_id: z.string(),
    simulated: z.boolean(),
    status: z.enum(['CONNECTED', 'RECONNECT_REQUIRED']),
    access_token: z.string(),
    refresh_token: z.string(),
    client_id: z.string().nullable(),
    client_secret: z.string().nullable(),
    previous_refresh_token: z.string().nullable(),
    access_token_expires_at_ms: z.coerce.number(),
    is_access_token_new: z.boolean(),
    token_version: z.int(),
    reads_paused_ms: z.coerce.number(),
    reads_pauses: z.int(),
    writes_paused_ms: z.coerce.number(),
    writes_pauses: z.int(),
    home_currency: z.string().nullable(),
  })
  .transform(
    (row): StoredConnection => ({
      id: row.id,
      environment: row.environment,
      realmId: row.realm_id,
      simulated: row.simulated,
      reconnectRequired: row.status === 'RECONNECT_REQUIRED',
      accessToken: row.access_token,
      refreshToken: row.refresh_token,
      previousRefreshToken: row.previous_refresh_token ?? undefined,
      accessTokenExpiresAt: new Date(row.access_token_expires_at_ms),
      isAccessTokenNew: row.is_access_token_new,
      tokenVersion: row.token_version,
      pauses: {
        read: { remainingMs: row.reads_paused_ms, count: row.reads_pauses },
        write: { remainingMs: row.writes_paused_ms, count: row.writes_pauses },
      },
      app:
        row.client_id !== null && row.client_secret !== null
          ? { clientId: row.client_id, clientSecret: row.client_secret }
          : undefined,
      homeCurrency: row.home_currency ?? undefined,
    }),
  );

const claimRows = z.array(z.object({ refresh_fence: z.int() }));

const NOT_LEASED = '(refresh_lease_until is null or refresh_lease_until < now())';

/** Still the latest refresher, and the tokens are still those it set out to replace. */
const HOLDS_CLAIM = 'id = ? and refresh_fence = ? and token_version = ?';

type StoreWaits = Pick<
  Waits,
  'tokenLeaseMs' | 'tokenRetryMs' | 'newTokenMs' | 'previousRefreshTokenMs' | 'recordingRetryMs'
>;

/**
 * Single statements, each atomic, never a transaction: nothing stays locked while Intuit is being asked.
 *
 * Lease times are the database's `now()`. Several processes compare them, whose own clocks may differ by more than a
 * lease lasts; and a test or a simulation that moves our clock must not end a lease that somebody works under.
 */
export class PostgresTokenStore implements TokenStore {
  readonly #orm: MikroORM;
  readonly #waits: StoreWaits;

  constructor(orm: MikroORM, waits: StoreWaits) {
    this.#orm = orm;
    this.#waits = waits;
  }

  async load(connectionId: string): Promise<StoredConnection | undefined> {
    const rows = await this.#execute(
      `select id, environment, realm_id, simulated, status, access_token, refresh_token, client_id, client_secret,
              case when refresh_token_changed_at > now() - ? * interval '1 millisecond' then previous_refresh_token end
                as previous_refresh_token,
              token_version, extract(epoch from access_token_expires_at) * 1000 as access_token_expires_at_ms,
              coalesce(refreshed_at > now() - ? * interval '1 millisecond', false) as is_access_token_new,
              ${remainingMs('reads_paused_until')} as reads_paused_ms, reads_pauses,
              ${remainingMs('writes_paused_until')} as writes_paused_ms, writes_pauses,
              settings->>'homeCurrency' as home_currency
       from qbo_connection where id = ?`,
      [this.#waits.previousRefreshTokenMs, this.#waits.newTokenMs, connectionId],
    );
    return z.array(connectionRow).parse(rows)[0];
  }

  claimRefresh(connectionId: string, tokenVersion: number): Promise<TokenClaim | undefined> {
    return this.#claim(connectionId, tokenVersion, "status = 'CONNECTED'");
  }

  claimReplacement(connectionId: string, tokenVersion: number): Promise<TokenClaim | undefined> {
    return this.#claim(connectionId, tokenVersion, 'true');
  }

  async #claim(connectionId: string, tokenVersion: number, condition: string): Promise<TokenClaim | undefined> {
    const rows = await this.#execute(
      `update qbo_connection
       set refresh_fence = refresh_fence + 1, refresh_lease_until = now() + ? * interval '1 millisecond'
       where id = ? and token_version = ? and ${condition} and ${NOT_LEASED}
       returning refresh_fence`,
      [this.#waits.tokenLeaseMs, connectionId, tokenVersion],
    );
    const [row] = claimRows.parse(rows);
    return row && { connectionId, tokenVersion, fence: row.refresh_fence };
  }

  /** Repeated when the database was lost: Intuit does not tell twice. If it was stored after all, the claim is over. */
  async recordTokens(claim: TokenClaim, tokens: SealedTokens): Promise<boolean> {
    const rows = await recording(this.#waits, () => this.#recordTokens(claim, tokens));
    return claimRows.parse(rows).length === 1;
  }

  #recordTokens(claim: TokenClaim, tokens: SealedTokens): Promise<unknown> {
    return this.#execute(
      `update qbo_connection
       set access_token = ?, access_token_expires_at = ?, refreshed_at = now(), refresh_token = ?,
           previous_refresh_token = coalesce(?, previous_refresh_token),
           refresh_token_changed_at = case when ? then now() else refresh_token_changed_at end,
           refresh_token_expires_at = coalesce(?, refresh_token_expires_at),
           refresh_token_hard_expires_at = coalesce(?, refresh_token_hard_expires_at),
           token_version = token_version + 1, refresh_lease_until = null, updated_at = now()
       where ${HOLDS_CLAIM} returning refresh_fence`,
      [
        tokens.accessToken,
        tokens.accessTokenExpiresAt,
        tokens.refreshToken,
        tokens.replacedRefreshToken ?? null,
        tokens.replacedRefreshToken !== undefined,
        tokens.refreshTokenExpiresAt ?? null,
        tokens.refreshTokenHardExpiresAt ?? null,
        ...identity(claim),
      ],
    );
  }

  async requireReconnect(claim: TokenClaim): Promise<boolean> {
    const rows = await this.#execute(
      `update qbo_connection set status = 'RECONNECT_REQUIRED', refresh_lease_until = null, updated_at = now()
       where ${HOLDS_CLAIM} returning refresh_fence`,
      identity(claim),
    );
    return claimRows.parse(rows).length === 1;
  }

  async requireReconnectOf(connectionId: string, tokenVersion: number): Promise<boolean> {
    const rows = await this.#execute(
      `update qbo_connection set status = 'RECONNECT_REQUIRED', updated_at = now()
       where id = ? and token_version = ? and ${NOT_LEASED} returning refresh_fence`,
      [connectionId, tokenVersion],
    );
    return claimRows.parse(rows).length === 1;
  }

  async releaseRefresh(claim: TokenClaim): Promise<void> {
    await this.#execute(
      `update qbo_connection set refresh_lease_until = now() + ? * interval '1 millisecond'
       where ${HOLDS_CLAIM} returning refresh_fence`,
      [this.#waits.tokenRetryMs, ...identity(claim)],
    );
  }

  /** On a connection of its own, outside any transaction of the caller. */
  #execute(sql: string, parameters: unknown[]): Promise<unknown> {
    return this.#orm.em.fork().getConnection().execute(sql, parameters);
  }
}

/** SQL for how far away that time is. Compared in the database, because processes' clocks differ. */
export function remainingMs(column: string): string {
  return `greatest(0, coalesce(extract(epoch from ${column} - now()) * 1000, 0))`;
}

function identity({ connectionId, fence, tokenVersion }: TokenClaim): unknown[] {
  return [connectionId, fence, tokenVersion];
}
