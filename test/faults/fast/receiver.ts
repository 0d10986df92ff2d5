import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Receiver {
  readonly url: string;
  stop(): Promise<void>;
}

/** Takes the simulator's webhooks. `receive` says which status to answer; undefined: the connection is cut. */
export async function startReceiver(
  receive: (body: Buffer, signature: string | undefined) => Promise<number | undefined>,
): Promise<Receiver> {
  const server = createServer(async (request, response) => {
    const signature = request.headers['intuit-signature'];
    const status = await receive(await bodyOf(request), typeof signature === 'string' ? signature : undefined);
    if (status === undefined) request.socket.destroy();
    else response.writeHead(status).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/webhooks/qbo`,
    stop: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
