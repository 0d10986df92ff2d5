/** What kind of actor did something. */
export enum ActorKind {
  /** A program or person with an API key. */
  API_KEY = 'API_KEY',
  /** A person whom the organiser's identity provider vouches for. */
  USER = 'USER',
  /** A part of this server, which acts on what a provider says. */
  SYSTEM = 'SYSTEM',
}

/** Who did something. */
export interface ActorIdentity {
  /** The same for ever, and nobody else's: `key_…`, `jwt:` and the subject of a token, or `system`. */
  readonly id: string;
  /** For people: an API key's or a person's name, or a part of the system such as `stripe`. Somebody else's later, maybe. */
  readonly name: string;
  readonly kind: ActorKind;
}
