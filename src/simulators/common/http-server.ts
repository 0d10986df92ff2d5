import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type Router } from 'express';
import { z } from 'zod';

export interface HttpServerOptions {
  /** What `x-simulator` says on every answer: it lets a client refuse a simulator in production. */
  readonly name: string;
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default 0: any free port. */
  readonly port?: number | undefined;
}

export interface HttpServer {
  readonly baseUrl: string;
  /** Closes every socket at once. */
  close(): Promise<void>;
}

const httpError = z.object({ status: z.int() });

/** Listens with these routes. Every body is read as bytes: the provider decides by its own rules what they mean. */
export async function startHttpServer(options: HttpServerOptions, routers: readonly Router[]): Promise<HttpServer> {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((_request, response, next) => {
    response.set('x-simulator', options.name);
    next();
  });
  app.use(express.raw({ type: () => true, limit: '10mb' }), ...routers, answerError);
  const host = options.host ?? '127.0.0.1';
  const server = createServer(app);
  server.listen(options.port ?? 0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://${host}:${port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A request that could not even be read, such as one that is too large: the edge answers in HTML. */
const answerError: ErrorRequestHandler = (error: unknown, _request, response, _next) => {
  const status = httpError.safeParse(error).data?.status ?? 500;
  response.status(status).type('html').send(`<html><body><h1>${status}</h1></body></html>`);
};
