import { setTimeout as sleep } from 'node:timers/promises';
import type { Request, Response } from 'express';

export interface ConnectionScene {
  readonly request: Request;
  readonly response: Response;
  /** Aborts when the simulator stops. */
  readonly stopping: AbortSignal;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** Cuts the connection off without a word. */
export function resetConnection({ request }: ConnectionScene): void {
  request.socket.resetAndDestroy();
}

/** Says nothing for as long, and then closes. */
export async function letTimeOut(milliseconds: number, scene: ConnectionScene): Promise<void> {
  await pause(milliseconds, scene);
  scene.request.socket.destroy();
}

/** Ends early when the caller or the simulator goes. */
export async function pause(
  milliseconds: number,
  scene: Pick<ConnectionScene, 'response' | 'stopping'>,
): Promise<void> {
  const gone = new AbortController();
  scene.response.once('close', () => gone.abort());
  await sleep(milliseconds, undefined, { signal: AbortSignal.any([scene.stopping, gone.signal]) }).catch(
    () => undefined,
  );
}

/** Promises a whole body, sends half of it and cuts the connection. */
export function truncate(answer: RawAnswer, { request, response }: ConnectionScene): void {
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, { ...answer.headers, 'content-length': `${body.length}` });
  response.write(body.subarray(0, body.length >> 1), () => request.socket.destroy());
}
