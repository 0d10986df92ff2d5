import type { CompanyCredentials, CompanyTokens, ProvenCompany } from '../../application/ports/accounting.js';
import { failed, type ProviderResult, succeeded } from '../../application/ports/provider.js';
import type { Waits } from '../../application/waits.js';
import type { Clock } from '../../domain/clock.js';
import type { QboCallObserver } from './call-observer.js';
import { readCompanyInfoCall, readCompanyName } from './company.js';
import type { EndpointResolver } from './endpoints.js';
import { unsettled } from './faults.js';
import type { QboAnswer, QboHttpClient } from './http-client.js';
import { type RefreshAnswer, refreshTokens } from './token-endpoint.js';
import { endsOf, secondsAfter } from './tokens.js';

/** An access token lives an hour at most, so one that works now and came without its end is given that. */
const LONGEST_LIFETIME_SECONDS = 3600;

export interface ProvingContext {
  readonly http: QboHttpClient;
  readonly endpoints: EndpointResolver;
  readonly clock: Clock;
  readonly onCall?: QboCallObserver | undefined;
  readonly waits: Waits;
}

/** Reads the company that the tokens claim to open. An access token that has run out meanwhile is refreshed once. */
export async function proveCredentials(
  context: ProvingContext,
  credentials: CompanyCredentials,
): Promise<ProviderResult<ProvenCompany>> {
  const given = givenTokens(context, credentials);
  const first = await readCompany(context, credentials, given.accessToken);
  if (first.kind !== 'unauthorised') return interpret(first, given);
  const refreshed = await refresh(context, credentials);
  if (!refreshed.ok) return refreshed;
  return interpret(await readCompany(context, credentials, refreshed.value.accessToken), refreshed.value);
}

function givenTokens({ clock }: ProvingContext, credentials: CompanyCredentials): CompanyTokens {
  const { accessToken, refreshToken, accessTokenExpiresAt } = credentials;
  return {
    accessToken,
    refreshToken,
    accessTokenExpiresAt: accessTokenExpiresAt ?? secondsAfter(clock.now(), LONGEST_LIFETIME_SECONDS),
    refreshTokenExpiresAt: undefined,
    refreshTokenHardExpiresAt: undefined,
  };
}

function readCompany(
  { http, endpoints }: ProvingContext,
  { environment, realmId }: CompanyCredentials,
  accessToken: string,
): Promise<QboAnswer> {
  const { apiBaseUrl } = endpoints({ environment, realmId, simulated: undefined });
  return http.call({ apiBaseUrl, realmId, accessToken }, readCompanyInfoCall(realmId));
}

function interpret(answer: QboAnswer, tokens: CompanyTokens): ProviderResult<ProvenCompany> {
  if (answer.kind === 'failed') return failed(answer.failure);
  const { trace } = answer;
  if (answer.kind === 'unauthorised') return failed({ kind: 'reconnect_required', message: answer.message, trace });
  const companyName = readCompanyName(answer.json);
  if (companyName === undefined) {
    return failed(unsettled('read', 'QuickBooks gave an answer that cannot be understood.', trace).failure);
  }
  return succeeded({ companyName, simulated: answer.simulated, tokens }, trace);
}

async function refresh(
  { endpoints, clock, onCall, waits }: ProvingContext,
  credentials: CompanyCredentials,
): Promise<ProviderResult<CompanyTokens>> {
  const { environment, realmId, clientId, clientSecret, refreshToken } = credentials;
  const { tokenUrl } = endpoints({ environment, realmId, simulated: undefined });
  const askedAt = clock.now();
  const request = { tokenUrl, clientId, clientSecret, refreshToken };
  const answer = await refreshTokens(request, { timeoutMs: waits.tokenTimeoutMs, onCall });
  if (answer.kind !== 'issued') return refused(answer);
  const { tokens, trace } = answer;
  const issued = { accessToken: tokens.accessToken, refreshToken: tokens.refreshToken ?? refreshToken };
  return succeeded({ ...issued, ...endsOf(tokens, askedAt) }, trace);
}

function refused(answer: Exclude<RefreshAnswer, { kind: 'issued' }>): ProviderResult<CompanyTokens> {
  const { trace } = answer;
  switch (answer.kind) {
    case 'dead':
      return failed({
        kind: 'reconnect_required',
        message: 'Intuit accepts neither the access token nor the refresh token.',
        trace,
      });
    case 'wrong_client':
      return failed({
        kind: 'reconnect_required',
        message: 'The access token has run out, and Intuit does not accept the client id and client secret.',
        trace,
      });
    case 'unavailable':
    case 'lost':
      return failed({
        kind: 'unavailable',
        message: `The access token could not be refreshed (${answer.reason}).`,
        trace,
      });
  }
}
