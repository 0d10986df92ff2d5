import { Deadline } from '../../application/deadline.js';
import { failed, type ProviderFailure, type ProviderResult, succeeded } from '../../application/ports/provider.js';
import { requestScope } from '../../application/request-scope.js';
import type { Waits } from '../../application/waits.js';
import type { EndpointResolver } from './endpoints.js';
import { type FailedCall, unsettled } from './faults.js';
import type { QboAnswer, QboCall, QboHttpClient } from './http-client.js';
import type { Resilience } from './resilience.js';
import type { Authorisation, QboTokens } from './tokens.js';
import { type Traffic, tooLate } from './traffic.js';

/** Takes what is needed out of an answer. Undefined: it is not the expected document. */
export type AnswerReader<T> = (json: unknown) => T | undefined | Promise<T | undefined>;

export interface AuthorisedClientParts {
  readonly http: QboHttpClient;
  readonly tokens: QboTokens;
  readonly traffic: Traffic;
  readonly resilience: Resilience;
  readonly endpoints: EndpointResolver;
  readonly waits: Waits;
}

/** Calls the API in the name of a stored connection, with a token that works, when the company has room for it. */
export class AuthorisedClient {
  readonly #parts: AuthorisedClientParts;

  constructor(parts: AuthorisedClientParts) {
    this.#parts = parts;
  }

  async call<T>(connectionId: string, call: QboCall, read: AnswerReader<T>): Promise<ProviderResult<T>> {
    const { resilience, waits } = this.#parts;
    const deadline = requestScope.getStore()?.deadline ?? Deadline.after(waits.backgroundDeadlineMs);
    const attempt = () => this.#attempt(connectionId, call, deadline);
    return interpret(await resilience.run(connectionId, call.effect, deadline, attempt), call, read);
  }

  /**
   * A refused access token leads to one refresh and one repetition: QuickBooks did nothing with the refused request. If
   * it refuses a new one, another one would not help it. Had the company ended the authorisation, Intuit would have said
   * so when the token was refreshed, or will when it is not new any more.
   */
  async #attempt(connectionId: string, call: QboCall, deadline: Deadline): Promise<QboAnswer> {
    const { tokens } = this.#parts;
    const current = await deadline.limit(tokens.current(connectionId));
    if (!current) return tooLate();
    if (!current.ok) return { ...asAnswer(current.failure), cause: 'withheld' };
    const answer = await this.#send(current.value, call, deadline);
    if (answer.kind !== 'unauthorised' || current.value.connection.isAccessTokenNew) return answer;
    const renewed = await deadline.limit(tokens.renew(connectionId, current.value.tokenVersion));
    if (!renewed) return tooLate();
    if (!renewed.ok) return { ...asAnswer(renewed.failure), cause: 'withheld' };
    return this.#send(renewed.value, call, deadline);
  }

  async #send(authorisation: Authorisation, call: QboCall, deadline: Deadline): Promise<QboAnswer> {
    const { http, tokens, traffic, endpoints } = this.#parts;
    const { connection, accessToken } = authorisation;
    const refused = await traffic.admit(connection, call, deadline);
    if (refused) return refused;
    const { apiBaseUrl } = endpoints(connection);
    const target = { apiBaseUrl, realmId: connection.realmId, accessToken };
    // A write that was begun is never broken off: nobody would know whether it was carried out.
    const signal = call.effect === 'read' ? deadline.signal : undefined;
    const answer = await traffic.learn(connection, call, await http.call(target, call, signal));
    if (answer.kind !== 'failed') return answer;
    if (signal?.aborted) return tooLate();
    return answer.cause === 'no_access' ? asAnswer(await tokens.end(authorisation, answer.failure)) : answer;
  }
}

function asAnswer(failure: ProviderFailure): FailedCall {
  return { kind: 'failed', failure };
}

async function interpret<T>(answer: QboAnswer, call: QboCall, read: AnswerReader<T>): Promise<ProviderResult<T>> {
  if (answer.kind === 'failed') return failed(answer.failure);
  const { trace } = answer;
  if (answer.kind === 'unauthorised') {
    const message = `QuickBooks refuses an access token that Intuit has just issued: ${answer.message}`;
    return failed({ kind: 'unavailable', message, trace });
  }
  const value = await read(answer.json);
  if (value !== undefined) return succeeded(value, trace, answer.asOf);
  const unreadable = unsettled(call.effect, 'QuickBooks gave an answer that cannot be understood.', trace);
  return failed(unreadable.failure);
}
