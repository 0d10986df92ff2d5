import { z } from 'zod';
import type { ProviderTrace } from '../../application/ports/provider.js';
import { standardWaits } from '../../application/waits.js';
import { observeCall, type QboCallObserver } from './call-observer.js';
import { exchange, type HttpExchange } from './exchange.js';
import { parseJson } from './json.js';

/** What Intuit says when it leaves `expires_in` out: an access token lives an hour. */
const DEFAULT_LIFETIME_SECONDS = 3600;

export interface RefreshRequest {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
}

export interface IssuedTokens {
  readonly accessToken: string;
  /** Undefined: the one that was sent stays valid. */
  readonly refreshToken: string | undefined;
  readonly expiresInSeconds: number;
  /** The rest of the refresh token's rolling life, about 100 days. */
  readonly refreshExpiresInSeconds: number | undefined;
  /** The rest of the five years that a connection lasts however often it is refreshed. */
  readonly refreshHardExpiresInSeconds: number | undefined;
}

export type RefreshAnswer =
  | { readonly kind: 'issued'; readonly tokens: IssuedTokens; readonly trace: ProviderTrace }
  /** The refresh token is dead for good (`invalid_grant`). */
  | { readonly kind: 'dead'; readonly trace: ProviderTrace }
  /** The client id or secret is wrong (`invalid_client`); the tokens may be fine. */
  | { readonly kind: 'wrong_client'; readonly trace: ProviderTrace }
  /** `lost`: no answer came, or one from somebody else on the way, so Intuit may have issued tokens that nobody received. */
  | { readonly kind: 'unavailable' | 'lost'; readonly reason: string; readonly trace: ProviderTrace };

export type RefusedRefresh = Exclude<RefreshAnswer, { kind: 'issued' }>;

export interface TokenEndpointOptions {
  readonly timeoutMs?: number | undefined;
  readonly onCall?: QboCallObserver | undefined;
}

/** Asks Intuit for a new access token. */
export async function refreshTokens(
  { tokenUrl, clientId, clientSecret, refreshToken }: RefreshRequest,
  { timeoutMs = standardWaits.tokenTimeoutMs, onCall }: TokenEndpointOptions = {},
): Promise<RefreshAnswer> {
  const report = observeCall(onCall, 'refresh_token');
  const exchanged = await exchange({
    url: tokenUrl,
    method: 'POST',
    headers: {
      Accept: 'application/json',
      Authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
      'Content-Type': 'application/x-www-form-urlencoded',
      // Without it Intuit does not tell when the five years are over.
      'x-include-refresh-token-hard-expires-in': 'true',
    },
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }).toString(),
    timeoutMs,
  });
  const answer = interpret(exchanged);
  report(OUTCOMES[answer.kind], answer.trace);
  return answer;
}

const OUTCOMES = {
  issued: 'ok',
  dead: 'reconnect_required',
  wrong_client: 'reconnect_required',
  unavailable: 'unavailable',
  lost: 'unavailable',
} as const;

// Our JSON reader gives numbers as texts. Anything else than a sensible count of seconds counts as absent.
const seconds = z.coerce.number().int().positive().max(1_000_000_000).optional().catch(undefined);
const nonEmptyText = z.string().min(1);
const tokenAnswer = z.object({
  access_token: nonEmptyText,
  refresh_token: nonEmptyText.optional().catch(undefined),
  expires_in: seconds,
  x_refresh_token_expires_in: seconds,
  x_refresh_token_hard_expires_in: seconds,
});
const tokenError = z.object({ error: z.string() });

function interpret(exchanged: HttpExchange): RefreshAnswer {
  if (exchanged.kind === 'not_sent') return { kind: 'unavailable', reason: exchanged.reason, trace: {} };
  if (exchanged.kind === 'interrupted') return { kind: 'lost', reason: exchanged.reason, trace: exchanged.trace };
  const { status, text, trace } = exchanged;
  const json = parseOrUndefined(text);
  if (status === 200) return readTokens(json, trace);
  const { data } = tokenError.safeParse(json);
  if (status < 500 && data?.error === 'invalid_grant') return { kind: 'dead', trace };
  if (status < 500 && data?.error === 'invalid_client') return { kind: 'wrong_client', trace };
  const error = data && /^[a-z_]{1,50}$/.test(data.error) ? `, ${data.error}` : '';
  const isRefusal = status >= 400 && status < 500 && status !== 408;
  return { kind: isRefusal ? 'unavailable' : 'lost', reason: `status ${status}${error}`, trace };
}

function readTokens(json: unknown, trace: ProviderTrace): RefreshAnswer {
  const { data } = tokenAnswer.safeParse(json);
  if (!data) return { kind: 'lost', reason: 'an answer without an access token', trace };
  const tokens = {
    accessToken: data.access_token,
    refreshToken: data.refresh_token,
    expiresInSeconds: data.expires_in ?? DEFAULT_LIFETIME_SECONDS,
    refreshExpiresInSeconds: data.x_refresh_token_expires_in,
    refreshHardExpiresInSeconds: data.x_refresh_token_hard_expires_in,
  };
  return { kind: 'issued', tokens, trace };
}

function parseOrUndefined(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
