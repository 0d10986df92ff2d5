import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import { httpErrorHandler, notFound } from './http-errors.js';
import { securityHeaders } from './http-policies.js';
import { assignRequestId } from './request-id.js';

/** How long requests that are being answered may take to finish when the process stops. */
const DRAIN_MS = 10_000;

const PATIENCE = {
  // A client that sends its headers or its body a byte at a time holds a connection no longer than this.
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
  // Longer than proxies keep an idle connection, as a rule a minute: one that we close while they use it is a failed request.
  keepAliveTimeout: 65_000,
};

export interface HttpServer {
  /** Where a program on this machine reaches it. */
  readonly url: string;
  /** From now on it is ready for others than those who take part in its start, which may call it themselves. */
  started(): void;
  /** Accepts nothing new, lets what is being answered finish, and closes. */
  stop(): Promise<void>;
}

export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  /** Addresses and networks of proxies, whose word for where a request came from is taken. */
  readonly trustedProxies?: readonly string[];
  readonly patience?: Partial<typeof PATIENCE>;
  /** Adds the routes. What it returns is called when the server no longer accepts connections, or never will. */
  readonly mount: (app: Express, state: HttpState) => Promise<() => Promise<void>>;
  readonly onError: (error: unknown) => void;
}

export interface HttpState {
  readonly server: Server;
  readonly starting: boolean;
  readonly stopping: boolean;
}

/** Listens only when every route is there: nobody gets a 404 from a server that is still starting. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host, port, trustedProxies = [], patience, mount, onError } = options;
  const app = express()
    .disable('x-powered-by')
    .disable('etag')
    .set('trust proxy', [...trustedProxies]);
  const state = { server: createServer({ ...PATIENCE, ...patience }, app), starting: true, stopping: false };
  app.use(assignRequestId, securityHeaders);
  const unmount = await mount(app, state);
  app.use(notFound, httpErrorHandler(onError));
  const url = await listen(state.server, host, port).catch(async (error: unknown) => {
    await unmount();
    throw error;
  });
  return {
    url,
    started: () => {
      state.starting = false;
    },
    stop: async () => {
      state.stopping = true;
      await drain(state.server, unmount);
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<string> {
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return `http://${reachableName(address)}:${address.port}`;
}

/** "Every address" is none that a browser or the simulator can open; a socket on all of IPv6 takes IPv4 as well. */
function reachableName({ address, family }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1';
  return family === 'IPv6' ? `[${address}]` : address;
}

async function drain(server: Server, unmount: () => Promise<void>): Promise<void> {
  const closed = server.listening ? once(server, 'close') : Promise.resolve();
  const giveUp = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  server.close();
  server.closeIdleConnections();
  await unmount();
  await closed;
  clearTimeout(giveUp);
}
