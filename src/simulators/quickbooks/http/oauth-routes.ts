import { timingSafeEqual } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import { bodyText, queryOf } from '../../common/http-input.js';
import { isObject, parseJson, toJson } from '../json.js';
import { GrantRefused, type TokenPair } from '../oauth/oauth-server.js';
import type { Simulation } from '../simulation.js';
import type { Answer } from './answer.js';
import { serve } from './serve.js';

export const AUTHORIZE_PATH = '/connect/oauth2';
export const TOKEN_PATH = '/oauth2/v1/tokens/bearer';
export const REVOKE_PATH = '/v2/oauth2/tokens/revoke';

/** Authorization, token and revocation endpoints of the identity provider. */
export function oauthRoutes(simulation: Simulation, stopping: AbortSignal): Router {
  const router = Router();
  router.get(AUTHORIZE_PATH, (request, response) => authorize(simulation, queryOf(request), response));
  const tokenCall =
    (work: (request: Request, body: string) => Answer) => async (request: Request, response: Response) => {
      const body = bodyText(request);
      const realmId = simulation.oauth.realmOf(credentialIn(request, body) ?? '');
      const call = { kind: 'token' as const, realmId, query: queryOf(request), body };
      await serve(simulation, stopping, request, response, call, () => ({ answer: work(request, body) }));
    };
  router.post(
    TOKEN_PATH,
    tokenCall((request, body) => grantTokens(simulation, request, body)),
  );
  router.post(
    REVOKE_PATH,
    tokenCall((request, body) => revoke(simulation, request, body)),
  );
  return router;
}

/** What the call is about, so that a fault can be armed for one company's token calls, too. */
function credentialIn(request: Request, body: string): string | undefined {
  const form = new URLSearchParams(body);
  const type = request.headers['content-type'] ?? '';
  return form.get('refresh_token') ?? form.get('code') ?? tokenToRevoke(body, type);
}

/** Stands for the consent page: agrees at once. `realmId` picks the company and `deny=true` refuses. */
function authorize(simulation: Simulation, query: URLSearchParams, response: Response): void {
  const redirectUri = query.get('redirect_uri') ?? '';
  if (query.get('client_id') !== simulation.clientId || !URL.canParse(redirectUri)) {
    response.status(400).json({ error: 'invalid_request', error_description: 'unknown client or redirect_uri' });
    return;
  }
  const target = new URL(redirectUri);
  const realmId = query.get('realmId') ?? [...simulation.companies.keys()][0];
  const refusal = refusalOf(simulation, query, realmId);
  if (refusal !== undefined || realmId === undefined) {
    target.searchParams.set('error', refusal ?? 'invalid_request');
  } else {
    target.searchParams.set('code', simulation.oauth.issueCode(realmId, redirectUri));
    target.searchParams.set('realmId', realmId);
  }
  const state = query.get('state');
  if (state !== null) target.searchParams.set('state', state);
  simulation.changed();
  response.redirect(302, target.toString());
}

function refusalOf(simulation: Simulation, query: URLSearchParams, realmId: string | undefined): string | undefined {
  if (query.get('deny') === 'true') return 'access_denied';
  if (query.get('response_type') !== 'code') return 'unsupported_response_type';
  if (!(query.get('scope') ?? '').split(' ').includes('com.intuit.quickbooks.accounting')) return 'invalid_scope';
  return realmId === undefined || !simulation.companies.has(realmId) ? 'invalid_request' : undefined;
}

function grantTokens(simulation: Simulation, request: Request, body: string): Answer {
  if (!isClient(simulation, request)) return jsonAnswer(401, { error: 'invalid_client' });
  if (request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') !== true) {
    return jsonAnswer(400, { error: 'invalid_request', error_description: 'the body must be a form' });
  }
  const form = new URLSearchParams(body);
  try {
    const pair = grant(simulation, form);
    return jsonAnswer(
      200,
      tokenBody(pair, request.headers['x-include-refresh-token-hard-expires-in'] === 'true', simulation),
    );
  } catch (error) {
    if (!(error instanceof GrantRefused)) throw error;
    const { description } = error;
    return jsonAnswer(400, {
      error: error.error,
      ...(description === undefined ? {} : { error_description: description }),
    });
  } finally {
    simulation.changed();
  }
}

function grant(simulation: Simulation, form: URLSearchParams): TokenPair {
  const required = (name: string): string => {
    const value = form.get(name);
    if (!value) throw new GrantRefused('invalid_request', `${name} is missing`);
    return value;
  };
  switch (form.get('grant_type')) {
    case 'authorization_code':
      return simulation.oauth.exchangeCode(required('code'), required('redirect_uri'));
    case 'refresh_token':
      return simulation.oauth.refresh(required('refresh_token'));
    case null:
      throw new GrantRefused('invalid_request', 'grant_type is missing');
    default:
      throw new GrantRefused('unsupported_grant_type');
  }
}

/** The company is not named here: `realmId` is only ever a parameter of the redirect. */
function tokenBody(pair: TokenPair, withHardLimit: boolean, simulation: Simulation): object {
  const now = simulation.clock.now();
  return {
    access_token: pair.accessToken,
    refresh_token: pair.refreshToken,
    token_type: 'bearer',
    expires_in: Math.trunc((pair.accessTokenExpiresAt - now + 500) / 1000),
    x_refresh_token_expires_in: pair.refreshExpiresInSeconds,
    ...(withHardLimit ? { x_refresh_token_hard_expires_in: pair.hardExpiresInSeconds } : {}),
  };
}

/** Accepts JSON and a form; an unknown token is an error. */
function revoke(simulation: Simulation, request: Request, body: string): Answer {
  if (!isClient(simulation, request)) return jsonAnswer(401, { error: 'invalid_client' });
  const token = tokenToRevoke(body, request.headers['content-type'] ?? '');
  if (token === undefined || !simulation.oauth.revoke(token)) return jsonAnswer(400, { error: 'invalid_request' });
  simulation.changed();
  return { status: 200, headers: {}, body: '' };
}

function tokenToRevoke(body: string, contentType: string): string | undefined {
  if (!contentType.startsWith('application/json')) return new URLSearchParams(body).get('token') ?? undefined;
  try {
    const parsed = parseJson(body);
    return isObject(parsed) && typeof parsed.token === 'string' ? parsed.token : undefined;
  } catch {
    return undefined;
  }
}

function isClient(simulation: Simulation, request: Request): boolean {
  const given = /^Basic (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const expected = Buffer.from(`${simulation.clientId}:${simulation.clientSecret}`);
  const actual = Buffer.from(given, 'base64');
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

function jsonAnswer(status: number, body: object): Answer {
  return { status, headers: { 'content-type': 'application/json;charset=UTF-8' }, body: toJson(body) };
}
