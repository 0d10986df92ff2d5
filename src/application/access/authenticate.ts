import type { Actor, UseCaseContext } from '../context.js';
import type { TokenVerifier } from '../ports/identity.js';
import { findActorByKey } from './api-keys.js';
import { actorOfToken } from './token-grants.js';

export interface Authentication extends Pick<UseCaseContext, 'em' | 'clock'> {
  /** Undefined: no identity provider is configured, so only API keys are known. */
  readonly tokens: TokenVerifier | undefined;
}

/** Three parts, the first of which is the base64url of what begins with `{"`: no API key looks like that. */
const TOKEN = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/;

/**
 * Who bears this API key or token; undefined when it is neither. Throws `CredentialRefused` for a token that is not
 * accepted, `IdentityProviderUnavailable` when that cannot be told.
 */
export async function findActor({ em, clock, tokens }: Authentication, credential: string): Promise<Actor | undefined> {
  if (!tokens || !TOKEN.test(credential)) return findActorByKey({ em, clock }, credential);
  return actorOfToken(await tokens.verify(credential));
}
