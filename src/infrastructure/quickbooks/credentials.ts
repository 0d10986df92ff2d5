import { Deadline } from '../../application/deadline.js';
import type { CompanyCredentials, CompanyTokens, ProvenCompany } from '../../application/ports/accounting.js';
import { failed, type ProviderResult, succeeded } from '../../application/ports/provider.js';
import { requestScope } from '../../application/request-scope.js';
import type { Waits } from '../../application/waits.js';
import type { Clock } from '../../domain/clock.js';
import { readCompanyInfoCall, readCompanyName } from './company.js';
import type { EndpointResolver } from './endpoints.js';
import { unsettled } from './faults.js';
import type { QboAnswer, QboHttpClient } from './http-client.js';
import type { RefusedRefresh } from './token-endpoint.js';
import { type QboTokens, secondsAfter } from './tokens.js';

/** An access token lives an hour at most, so one that works now and came without its end is given that. */
const LONGEST_LIFETIME_SECONDS = 3600;

export interface ProvingContext {
  readonly http: QboHttpClient;
  readonly endpoints: EndpointResolver;
  readonly clock: Clock;
  readonly tokens: QboTokens;
  readonly waits: Waits;
}

/** The tokens that are to be proven. */
interface Candidate extends Pick<ProvenCompany, 'tokens' | 'claim'> {
  /** They come from a refresh: when these are refused, there is nothing left to try. */
  readonly isNew: boolean;
}

/** Reads the company that the tokens claim to open. An access token that has run out meanwhile is refreshed once. */
export async function proveCredentials(
  context: ProvingContext,
  credentials: CompanyCredentials,
  connectionId: string | undefined,
): Promise<ProviderResult<ProvenCompany>> {
  let candidate: Candidate = { tokens: givenTokens(context, credentials), claim: undefined, isNew: false };
  for (;;) {
    const answer = await readCompany(context, credentials, candidate);
    if (answer.kind !== 'unauthorised' || candidate.isNew) {
      const proven = interpret(answer, candidate);
      if (!proven.ok && candidate.claim) await context.tokens.release(candidate.claim);
      return proven;
    }
    const renewed = await renew(context, credentials, connectionId, candidate);
    if (!renewed.ok) return renewed;
    candidate = renewed.value;
  }
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
  { tokens: { accessToken } }: Candidate,
): Promise<QboAnswer> {
  const { apiBaseUrl } = endpoints({ environment, realmId, simulated: undefined });
  return http.call({ apiBaseUrl, realmId, accessToken }, readCompanyInfoCall(realmId));
}

function interpret(answer: QboAnswer, { tokens, claim }: Candidate): ProviderResult<ProvenCompany> {
  if (answer.kind === 'failed') return failed(answer.failure);
  const { trace } = answer;
  if (answer.kind === 'unauthorised') return failed({ kind: 'reconnect_required', message: answer.message, trace });
  const companyName = readCompanyName(answer.json);
  if (companyName === undefined) {
    return failed(unsettled('read', 'QuickBooks gave an answer that cannot be understood.', trace).failure);
  }
  return succeeded({ companyName, simulated: answer.simulated, tokens, claim }, trace);
}

async function renew(
  { tokens, waits }: ProvingContext,
  { environment, realmId, clientId, clientSecret, refreshToken }: CompanyCredentials,
  connectionId: string | undefined,
  { tokens: { accessToken } }: Candidate,
): Promise<ProviderResult<Candidate>> {
  const deadline = requestScope.getStore()?.deadline ?? Deadline.after(waits.tokenMaxWaitMs);
  const company = { environment, realmId, simulated: undefined };
  const app = { clientId, clientSecret };
  const renewed = await tokens.renewGiven({ connectionId, company, app, refreshToken, accessToken }, deadline);
  if (!renewed) {
    const message = 'Somebody else is refreshing the tokens of this company and does not finish.';
    return failed({ kind: 'unavailable', message, trace: {} });
  }
  return renewed.kind === 'renewed' ? succeeded(renewed) : refused(renewed.answer);
}

function refused(answer: RefusedRefresh): ProviderResult<Candidate> {
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
