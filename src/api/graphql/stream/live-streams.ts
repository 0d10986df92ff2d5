import { ApolloServerErrorCode } from '@apollo/server/errors';
import { bulkhead } from 'cockatiel';
import { type Request, type Response, Router } from 'express';
import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
} from 'graphql';
import { createHandler, type Handler, type Response as Refusal } from 'graphql-sse';
import { NOBODY } from '../../../application/context.js';
import type { Changed, Watching } from '../../../application/live/watch-purchase-orders.js';
import { isLostConnection, recording } from '../../../application/transaction.js';
import type { GraphQLContext } from '../context.js';
import { httpOf, unauthenticated } from '../errors.js';
import { checkOperation } from '../limits/operation-limits.js';
import type { RateLimits } from '../limits/rate-limits.js';
import type { TimeLimits } from '../limits/time-limit.js';
import { hashOfDocument } from '../operation-log.js';
import { type CallerCheck, OpenStreams, type StreamLimits } from './open-streams.js';
import { type ReadSubscription, readSubscription, type SubscriptionRequest } from './read-subscription.js';
import { drained, sendEvents } from './send-events.js';

/** The same may be answered later, so it ends a connection and never a subscription: clients come back. */
const PASSING_FAULTS = new Set<unknown>([
  ApolloServerErrorCode.INTERNAL_SERVER_ERROR,
  'SERVICE_UNAVAILABLE',
  'RATE_LIMITED',
  'TIMED_OUT',
]);

/** Of this process' ten connections: a change that hundreds watch must not keep queries from the database. */
const SIMULTANEOUS_ANSWERS = 4;

export interface LiveStreamOptions {
  readonly schema: GraphQLSchema;
  readonly openIntrospection: boolean;
  readonly limits: StreamLimits;
  readonly callerCheck: CallerCheck;
  readonly watching: Pick<Watching, 'feed' | 'forkEntityManager' | 'waits'>;
  /** Takes a request in: authenticates it, and puts in the document that it names. */
  readonly admit: (request: Request) => Promise<GraphQLContext>;
  /** Authenticates the request; called anew for each thing that is sent. */
  readonly identify: (request: Request) => Promise<GraphQLContext>;
  readonly rateLimits: RateLimits;
  readonly timeLimits: TimeLimits;
  readonly formatError: (formatted: GraphQLFormattedError, error: unknown) => GraphQLFormattedError;
  readonly observer: StreamObserver;
}

export interface StreamObserver {
  readonly onCount: (open: number) => void;
  /** `changedAt`: when it happened, unless it is told belatedly. */
  readonly onSent: (changedAt: Date | undefined) => void;
  readonly onEnd: (stream: StreamReport) => void;
}

/** What is told of a stream: never what was asked for, or by which key. */
export interface StreamReport {
  readonly name: string;
  readonly documentHash: string;
  readonly actorId: string;
  readonly sent: number;
  readonly durationMs: number;
  readonly errorCodes: readonly string[];
}

/** A result whose errors may be anything that was thrown. */
type Unformatted = Omit<ExecutionResult, 'errors'> & { readonly errors?: readonly unknown[] };

/** What begins to be told. */
interface Subscribed {
  readonly source: AsyncIterable<Changed>;
  /** What each answer takes out of the caller's budget. */
  readonly cost: number;
}

/** A request to subscribe; each has a connection of its own. */
interface Stream {
  readonly request: Request;
  readonly response: Response;
  readonly context: GraphQLContext;
  /** Aborts when the client is gone or cut off. */
  readonly closed: AbortSignal;
}

/** `POST /graphql/stream`: subscriptions over server-sent events, the "distinct connections" of the graphql-sse protocol. */
export class LiveStreams {
  readonly router = Router();
  readonly #options: LiveStreamOptions;
  readonly #open: OpenStreams;
  readonly #slots = bulkhead(SIMULTANEOUS_ANSWERS, Number.POSITIVE_INFINITY);
  readonly #handle: Handler<Stream>;

  constructor(options: LiveStreamOptions) {
    this.#options = options;
    this.#open = new OpenStreams(options.limits, options.callerCheck, options.observer.onCount);
    // Without a token there is no other mode: several subscriptions on one connection are what HTTP/2 is for.
    const authenticate = () => null;
    this.#handle = createHandler<Stream>({
      authenticate,
      onSubscribe: ({ raw: stream }, parameters) => this.#subscribe(stream, parameters),
    });
    this.router.all('/graphql/stream', async (request, response) => {
      try {
        const stream = await this.#begin(request, response);
        if (!stream.closed.aborted) await this.#serve(stream);
      } catch (error) {
        if (!(error instanceof GraphQLError) || response.headersSent) throw error;
        this.#refuse(response, error);
      }
    });
  }

  /** Ends every stream at once and begins no other. */
  stop(): void {
    this.#open.stop();
  }

  async #begin(request: Request, response: Response): Promise<Stream> {
    if (request.method !== 'POST') throw httpRefusal(405, 'Subscribe with POST.');
    if (!request.accepts('text/event-stream')) throw httpRefusal(406, 'The answer is a text/event-stream.');
    // Listened to from the beginning: who leaves while they are let in is told of once.
    const controller = new AbortController();
    response.once('close', () => controller.abort());
    const context = await this.#options.admit(request);
    if (context.actor === NOBODY) throw unauthenticated();
    if (!controller.signal.aborted) this.#open.add(response, context.actor);
    return { request, response, context, closed: controller.signal };
  }

  async #serve(stream: Stream): Promise<void> {
    const { request, response } = stream;
    const { method, url, body: parameters } = request;
    // Whoever accepts events among other things gets them, too.
    const headers = { get: (name: string) => (name === 'accept' ? 'text/event-stream' : request.get(name)) };
    const [body, init] = await this.#handle({
      method,
      url,
      headers,
      body: parameters,
      raw: stream,
      context: undefined,
    });
    response.writeHead(init.status, { ...init.headers, 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    if (body === null || typeof body === 'string') response.end(body ?? undefined);
    else await sendEvents(body, response, stream.closed);
  }

  /** What the stream will send, or what is wrong with the request. */
  async #subscribe(stream: Stream, parameters: SubscriptionRequest) {
    try {
      const { schema, openIntrospection, rateLimits } = this.#options;
      await rateLimits.charge(stream.context, parameters.query.length);
      const read = readSubscription(parameters, { schema, suggest: openIntrospection });
      if (!('document' in read)) return this.#failed(stream, parameters, read);
      const cost = await checkOperation(rateLimits, stream.context, { schema, ...read });
      const source = await this.#source(stream, read);
      if (!(Symbol.asyncIterator in source)) return this.#failed(stream, parameters, source.errors ?? []);
      return this.#answers(stream, parameters, (change) => this.#answer(stream, read, change), { source, cost });
    } catch (error) {
      return this.#failed(stream, parameters, [error]);
    }
  }

  /** When there will be something to tell, if the client may be told it. */
  async #source({ context, response, closed }: Stream, read: ReadSubscription) {
    const { timeLimits, watching } = this.#options;
    const live = { ...watching, closed, ready: () => drained(response, closed) };
    context.timeLimit.start(timeLimits.queryMs);
    const source = await createSourceEventStream(this.#execution(read, { ...context, live }));
    context.timeLimit.end();
    return source as AsyncIterable<Changed> | ExecutionResult;
  }

  /** An answer for each change, until there is one without data: from there on the client may not see it. */
  async *#answers(
    stream: Stream,
    parameters: SubscriptionRequest,
    answer: (change: Changed) => Promise<Unformatted>,
    { source, cost }: Subscribed,
  ): AsyncGenerator<ExecutionResult> {
    const { observer, rateLimits } = this.#options;
    const { context, response, closed } = stream;
    const startedAt = performance.now();
    let sent = 0;
    let errors: readonly GraphQLError[] = [];
    try {
      for await (const change of source) {
        // The first one was paid for with the request.
        if (sent > 0) await rateLimits.chargeInTime(context, cost, closed);
        if (closed.aborted) break;
        const formatted = this.#formatted(await this.#slots.execute(() => answer(change)));
        errors = formatted.errors ?? [];
        if (errors.some(isPassing)) break;
        yield formatted;
        sent += 1;
        observer.onSent(change.isNews ? change.at : undefined);
        if (formatted.data == null) return;
      }
    } catch (error) {
      errors = this.#formatted({ errors: [error] }).errors ?? [];
      if (!errors.some(isPassing)) yield { errors };
    } finally {
      if (errors.some(isPassing)) response.destroy();
      const durationMs = Math.round(performance.now() - startedAt);
      this.#report(stream, parameters, { sent, durationMs, errors });
    }
  }

  /** With the caller, the entity manager and the rows of this moment. A database that was just lost is asked again. */
  async #answer({ request }: Stream, read: ReadSubscription, change: Changed): Promise<Unformatted> {
    const { identify, timeLimits, watching } = this.#options;
    try {
      return await recording(watching.waits, async () => {
        const context = await identify(request);
        if (context.actor === NOBODY) throw unauthenticated();
        context.timeLimit.start(timeLimits.queryMs);
        const result = await execute({ ...this.#execution(read, context), rootValue: change });
        context.timeLimit.end();
        const lost = result.errors?.map(({ originalError }) => originalError).find(isLostConnection);
        if (lost) throw lost;
        return result;
      });
    } catch (error) {
      return { errors: [error] };
    }
  }

  #execution({ document, operationName, variables }: ReadSubscription, contextValue: GraphQLContext): ExecutionArgs {
    const { schema } = this.#options;
    return { schema, document, operationName, variableValues: variables, contextValue };
  }

  /** The client is told in the stream what is wrong with its request, and by a status what is wrong with us. */
  #failed(stream: Stream, parameters: SubscriptionRequest, failures: readonly unknown[]): ExecutionResult | Refusal {
    // The library takes for a result only what has data.
    const result = this.#formatted({ data: undefined as unknown as null, errors: failures });
    const { errors = [] } = result;
    this.#report(stream, parameters, { sent: 0, durationMs: 0, errors });
    if (!errors.some(isPassing)) return result;
    const { status = 503, headers = [] } = httpOf(failures[0]);
    const json = { 'content-type': 'application/json; charset=utf-8' };
    return [JSON.stringify(result), { status, statusText: '', headers: { ...json, ...Object.fromEntries(headers) } }];
  }

  /** The library prints results as they are, formatted errors included. */
  #formatted({ errors, ...rest }: Unformatted): ExecutionResult {
    const { formatError } = this.#options;
    const jsonOf = (error: unknown) => (error instanceof GraphQLError ? error.toJSON() : { message: String(error) });
    const formatted = errors?.map((error) => formatError(jsonOf(error), error) as GraphQLError);
    return { ...rest, ...(formatted && { errors: formatted }) };
  }

  #report(
    { context }: Stream,
    { query, operationName }: SubscriptionRequest,
    { errors, ...rest }: Pick<StreamReport, 'sent' | 'durationMs'> & { errors: readonly GraphQLError[] },
  ): void {
    this.#options.observer.onEnd({
      name: operationName ?? 'anonymous',
      documentHash: hashOfDocument(query),
      actorId: context.actor.id,
      errorCodes: errors.map(({ extensions }) => String(extensions?.code)),
      ...rest,
    });
  }

  #refuse(response: Response, error: GraphQLError): void {
    const { status = 400, headers = [] } = httpOf(error);
    for (const [name, value] of headers) response.set(name, value);
    response.status(status).json(this.#formatted({ errors: [error] }));
  }
}

function isPassing({ extensions }: GraphQLError): boolean {
  return PASSING_FAULTS.has(extensions.code);
}

function httpRefusal(status: number, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: ApolloServerErrorCode.BAD_REQUEST, http: { status } } });
}
