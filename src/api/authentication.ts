import { type Actor, NOBODY } from '../application/context.js';
import { CredentialRefused, IdentityProviderUnavailable } from '../application/ports/identity.js';

/** An API key has 46 characters; a token with the roles of a hundred conferences has some thousand. */
const BEARER = /^Bearer +(\S{1,8000})$/i;

/** The key or token in an `Authorization: Bearer <key>` header. */
export function readBearerCredential(authorization: string | undefined): string | undefined {
  return BEARER.exec(authorization ?? '')?.[1];
}

/** What to answer to whoever shows no credential, or a key that is not valid. */
export const SEND_A_KEY = 'Send an API key: "Authorization: Bearer <key>".';

/** Who sent a request, `NOBODY` without a valid key; or why its token cannot be accepted, as an HTTP status and in words. */
export type Authenticated = { readonly actor: Actor } | { readonly status: 401 | 503; readonly message: string };

export async function authenticate(
  findActor: (credential: string) => Promise<Actor | undefined>,
  authorization: string | undefined,
): Promise<Authenticated> {
  const credential = readBearerCredential(authorization);
  if (credential === undefined) return { actor: NOBODY };
  try {
    return { actor: (await findActor(credential)) ?? NOBODY };
  } catch (error) {
    if (error instanceof CredentialRefused) return { status: 401, message: error.message };
    if (error instanceof IdentityProviderUnavailable) return { status: 503, message: NOT_CHECKED };
    throw error;
  }
}

const NOT_CHECKED = 'Tokens cannot be checked at the moment; try again. API keys go on working.';
