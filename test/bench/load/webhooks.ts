import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import autocannon, { type Request } from 'autocannon';
import { signWebhook } from '../../support/intuit-signature.js';
import { type Answer, post } from './post.js';
import type { LoadReport, WebhookOrder } from './work-order.js';

const PATH = '/webhooks/qbo';

interface SignedEvent {
  readonly id: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A changed invoice, as a CloudEvent. */
function createEvent(verifierToken: string): SignedEvent {
  const id = randomUUID();
  const event = {
    specversion: '1.0',
    id,
    source: 'intuit.bench',
    type: 'qbo.invoice.updated.v1',
    datacontenttype: 'application/json',
    time: new Date().toISOString(),
    intuitentityid: '42',
    intuitaccountid: '9341450000000000',
    data: {},
  };
  const body = JSON.stringify([event]);
  const signature = signWebhook(Buffer.from(body), verifierToken);
  return { id, body, headers: { 'content-type': 'application/json', 'intuit-signature': signature } };
}

export function webhooks(order: WebhookOrder): Promise<LoadReport> {
  return order.eventsPerSecond === undefined ? asManyAsTaken(order) : atRate(order, order.eventsPerSecond);
}

async function asManyAsTaken({ url, connections, seconds, verifierToken }: WebhookOrder): Promise<LoadReport> {
  const acknowledgedIds: string[] = [];
  let wrong: string | undefined;
  const request: Request = {
    method: 'POST',
    path: PATH,
    headers: {},
    setupRequest: (template, context) => {
      const { id, body, headers } = createEvent(verifierToken);
      context.id = id;
      return { ...template, headers, body };
    },
    onResponse: (status, body, { id }) => {
      if (status === 200) acknowledgedIds.push(String(id));
      else wrong ??= `${status} ${body}`;
    },
  };
  const options = { url, connections, duration: seconds, requests: [request] };
  const { errors, timeouts, duration } = await autocannon(options);
  if (wrong !== undefined) throw new Error(`an event was refused: ${wrong}`);
  if (errors + timeouts > 0) throw new Error(`${errors} events failed and ${timeouts} took too long`);
  return { requestsPerSecond: acknowledgedIds.length / duration, latenciesMs: [], acknowledgedIds };
}

/**
 * An open loop: events are sent when they are due, and timed from then. A server that stands still does not stop time,
 * as it would for clients that wait for their answers.
 */
async function atRate(order: WebhookOrder, eventsPerSecond: number): Promise<LoadReport> {
  const { url, connections, seconds, verifierToken } = order;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const latenciesMs: number[] = [];
  const acknowledgedIds: string[] = [];
  const startedAt = performance.now();
  const send = async ({ id, body, headers }: SignedEvent, dueAt: number): Promise<void> => {
    const { status, text }: Answer = await post(agent, `${url}${PATH}`, { headers, body });
    if (status !== 200) throw new Error(`an event was refused: ${status} ${text}`);
    latenciesMs.push(performance.now() - dueAt);
    acknowledgedIds.push(id);
  };
  const sending: Promise<void>[] = [];
  for (let nth = 0; nth < eventsPerSecond * seconds; nth += 1) {
    const dueAt = startedAt + (nth * 1000) / eventsPerSecond;
    const event = createEvent(verifierToken);
    if (dueAt - performance.now() >= 1) await delay(dueAt - performance.now());
    sending.push(send(event, dueAt));
  }
  await Promise.all(sending);
  const requestsPerSecond = acknowledgedIds.length / ((performance.now() - startedAt) / 1000);
  agent.destroy();
  return { requestsPerSecond, latenciesMs, acknowledgedIds };
}
