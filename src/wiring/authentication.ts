import { findActor } from '../application/access/authenticate.js';
import type { Actor } from '../application/context.js';
import { JwtVerifier } from '../infrastructure/identity/jwt-verifier.js';
import type { Foundation } from './foundation.js';

/** Tells who bears an API key or token. Streams ask again from time to time: a key may have been revoked meanwhile. */
export type FindActor = (credential: string) => Promise<Actor | undefined>;

export function createAuthentication({ config, requestOrm, clock }: Foundation): FindActor {
  const tokens = config.tokens && new JwtVerifier(config.tokens, clock);
  return (credential) => findActor({ em: requestOrm.em.fork(), clock, tokens }, credential);
}
