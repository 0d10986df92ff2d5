import { failed, type ProviderResult, succeeded } from '../../application/ports/provider.js';
import type { EndpointResolver } from './endpoints.js';
import { unsettled } from './faults.js';
import type { QboAnswer, QboCall, QboHttpClient } from './http-client.js';
import type { Authorisation, QboTokens } from './tokens.js';

/** Takes what is needed out of an answer. Undefined: it is not the expected document. */
export type AnswerReader<T> = (json: unknown) => T | undefined | Promise<T | undefined>;

/** Calls the API in the name of a stored connection, with a token that works. */
export class AuthorisedClient {
  readonly #http: QboHttpClient;
  readonly #tokens: QboTokens;
  readonly #endpoints: EndpointResolver;

  constructor(http: QboHttpClient, tokens: QboTokens, endpoints: EndpointResolver) {
    this.#http = http;
    this.#tokens = tokens;
    this.#endpoints = endpoints;
  }

  /** A refused access token leads to one refresh and one repetition: QuickBooks did nothing with the refused request. */
  async call<T>(connectionId: string, call: QboCall, read: AnswerReader<T>): Promise<ProviderResult<T>> {
    const current = await this.#tokens.current(connectionId);
    if (!current.ok) return current;
    const answer = await this.#send(current.value, call);
    if (answer.kind !== 'unauthorised') return interpret(answer, call, read);
    const renewed = await this.#tokens.renew(connectionId, current.value.tokenVersion);
    if (!renewed.ok) return renewed;
    return interpret(await this.#send(renewed.value, call), call, read);
  }

  #send({ connection, accessToken }: Authorisation, call: QboCall): Promise<QboAnswer> {
    const { apiBaseUrl } = this.#endpoints(connection);
    return this.#http.call({ apiBaseUrl, realmId: connection.realmId, accessToken }, call);
  }
}

async function interpret<T>(answer: QboAnswer, call: QboCall, read: AnswerReader<T>): Promise<ProviderResult<T>> {
  if (answer.kind === 'failed') return failed(answer.failure);
  const { trace } = answer;
  if (answer.kind === 'unauthorised') return failed({ kind: 'reconnect_required', message: answer.message, trace });
  const value = await read(answer.json);
  if (value !== undefined) return succeeded(value, trace, answer.asOf);
  const unreadable = unsettled(call.effect, 'QuickBooks gave an answer that cannot be understood.', trace);
  return failed(unreadable.failure);
}
