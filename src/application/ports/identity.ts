/** The organiser's identity provider, which says in signed tokens who somebody is and what they may do. */
export interface TokenVerifier {
  /**
   * The claims of a token that the provider signed for this server and that counts now. Throws `CredentialRefused` or
   * `IdentityProviderUnavailable`.
   */
  verify(token: string): Promise<Readonly<Record<string, unknown>>>;
}

/** The token is not accepted. The message says why, and repeats nothing of it. */
export class CredentialRefused extends Error {}

/** The provider's keys cannot be had, so nobody knows whether its tokens are good. */
export class IdentityProviderUnavailable extends Error {}
