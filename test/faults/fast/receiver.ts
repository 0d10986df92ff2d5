import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface WebhookPost {
  readonly path: string;
  readonly body: Buffer;
  /** Those that appear once. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

export interface Receiver {
  /** To be followed by what tells whose webhooks they are, e.g. `/qbo`. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Takes the simulators' webhooks. `receive` says which status to answer; undefined: the connection is cut. */
export async function startReceiver(receive: (post: WebhookPost) => Promise<number | undefined>): Promise<Receiver> {
  const server = createServer(async (request, response) => {
    const status = await receive({
      path: String(request.url),
      body: await bodyOf(request),
      headers: singleHeaders(request),
    });
    if (status === undefined) request.socket.destroy();
    else response.writeHead(status).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/webhooks`,
    stop: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function singleHeaders({ headers }: IncomingMessage): Record<string, string | undefined> {
  const single = Object.entries(headers).filter(([, value]) => typeof value === 'string');
  return Object.fromEntries(single) as Record<string, string>;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
