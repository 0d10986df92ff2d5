import { Deadline } from '../../application/deadline.js';
import type {
  CompanyCredentials,
  CompanyTokens,
  ProvenCompany,
  TokenTrial,
} from '../../application/ports/accounting.js';
import { failed, type ProviderResult, succeeded } from '../../application/ports/provider.js';
import { requestScope } from '../../application/request-scope.js';
import type { Waits } from '../../application/waits.js';
import type { Clock } from '../../domain/clock.js';
import { readCompanyInfoCall, readCompanyName } from './company.js';
import type { EndpointResolver, ReachableCompany } from './endpoints.js';
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
    const answer = await readCompany(context, { ...credentials, simulated: undefined }, candidate.tokens.accessToken);
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

/**
 * Reads the company with the stored tokens, past the breaker and the pauses of its connection. As always, a refused access
 * token that is not new is refreshed once.
 */
export async function tryTokens(context: ProvingContext, connectionId: string): Promise<ProviderResult<TokenTrial>> {
  const { tokens } = context;
  const current = await tokens.current(connectionId);
  if (!current.ok) return current;
  const { connection, accessToken, tokenVersion } = current.value;
  const answer = await readCompany(context, connection, accessToken);
  if (answer.kind !== 'unauthorised' || connection.isAccessTokenNew) return toTrial(answer, tokenVersion);
  const renewed = await tokens.renew(connectionId, tokenVersion);
  if (!renewed.ok) return renewed;
  return toTrial(await readCompany(context, connection, renewed.value.accessToken), renewed.value.tokenVersion);
}

function toTrial(answer: QboAnswer, tokenVersion: number): ProviderResult<TokenTrial> {
  const read = companyNameIn(answer);
  // A request that was understood and refused was let in.
  if (read.ok || read.failure.kind === 'rejected') return succeeded({ tokenVersion, areRefused: false });
  return read.failure.kind === 'reconnect_required' ? succeeded({ tokenVersion, areRefused: true }) : read;
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
  company: ReachableCompany,
  accessToken: string,
): Promise<QboAnswer> {
  const { apiBaseUrl } = endpoints(company);
  const { realmId } = company;
  return http.call({ apiBaseUrl, realmId, accessToken }, readCompanyInfoCall(realmId));
}

function interpret(answer: QboAnswer, { tokens, claim }: Candidate): ProviderResult<ProvenCompany> {
  const read = companyNameIn(answer);
  if (!read.ok) return read;
  const simulated = answer.kind === 'answered' && answer.simulated;
  return succeeded({ companyName: read.value, simulated, tokens, claim }, read.trace);
}

function companyNameIn(answer: QboAnswer): ProviderResult<string> {
  if (answer.kind === 'failed') return failed(answer.failure);
  const { trace } = answer;
  if (answer.kind === 'unauthorised') return failed({ kind: 'reconnect_required', message: answer.message, trace });
  const companyName = readCompanyName(answer.json);
  if (companyName === undefined) {
    return failed(unsettled('read', 'QuickBooks gave an answer that cannot be understood.', trace).failure);
  }
  return succeeded(companyName, trace);
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
