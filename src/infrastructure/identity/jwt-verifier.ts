import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import {
  CredentialRefused,
  IdentityProviderUnavailable,
  type TokenVerifier,
} from '../../application/ports/identity.js';
import type { TokenSettings } from '../../config.js';
import type { Clock } from '../../domain/clock.js';

/** Longer than a healthy provider ever takes; requests wait for it. */
const TIMEOUT_MS = 3_000;
/** How long the provider's keys are used without asking again. */
const CACHED_MS = 10 * 60_000;
/** A flood of tokens with invented key ids asks the provider this often at most. */
const COOLDOWN_MS = 30_000;
/** How far our clock and the provider's may differ. */
const TOLERANCE_SECONDS = 5;

/** Checks tokens against the keys that the identity provider publishes (JWKS). */
export class JwtVerifier implements TokenVerifier {
  readonly #settings: TokenSettings;
  readonly #clock: Clock;
  readonly #findKey: JWTVerifyGetKey;

  constructor(settings: TokenSettings, clock: Clock, { cooldownMs = COOLDOWN_MS, timeoutMs = TIMEOUT_MS } = {}) {
    this.#settings = settings;
    this.#clock = clock;
    const keys = createRemoteJWKSet(new URL(settings.jwksUrl), {
      timeoutDuration: timeoutMs,
      cacheMaxAge: CACHED_MS,
      cooldownDuration: cooldownMs,
    });
    this.#findKey = (header, token) => keys(header, token).catch(rethrowKeyProblem);
  }

  async verify(token: string): Promise<Readonly<Record<string, unknown>>> {
    const { issuer, audience, algorithms } = this.#settings;
    try {
      const { payload } = await jwtVerify(token, this.#findKey, {
        issuer,
        audience,
        algorithms: [...algorithms],
        requiredClaims: ['exp', 'sub'],
        clockTolerance: TOLERANCE_SECONDS,
        currentDate: this.#clock.now(),
      });
      return payload;
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new CredentialRefused('This token has expired.', { cause: error });
      if (error instanceof errors.JOSEError)
        throw new CredentialRefused('This token is not valid here.', { cause: error });
      throw error;
    }
  }
}

/** That no key, or none for certain, fits the token is the token's fault; anything else is the provider's. */
function rethrowKeyProblem(error: unknown): never {
  const isOfToken = error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys;
  if (isOfToken) throw error;
  throw new IdentityProviderUnavailable('The keys of the identity provider cannot be had.', { cause: error });
}
