import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { Decimal } from '../decimal.js';
import { ProviderFault } from '../faults.js';
import { faultRuleSchema } from '../http/fault-injection.js';
import { bodyText, queryOf } from '../http/serve.js';
import { isObject, parseJson, toJson } from '../json.js';
import type { Simulation } from '../simulation.js';
import { webhookSwitchesSchema } from '../webhooks/webhook-sender.js';
import { bookkeeperRoutes } from './bookkeeper-routes.js';
import { companyRoutes } from './company-routes.js';
import { type AddRoute, ControlError, type ControlHandler, companyOf } from './control-route.js';
import { clockOrder, oauthOrder, realmOrder, resetOrder, tokenOrder } from './orders.js';
import { resetSimulation } from './reset.js';

export const CONTROL_PATH = '/__control';

/** For people and tests: plays the bookkeeper, breaks things, and shows what happened. Takes no token. */
export function controlRoutes(simulation: Simulation): Router {
  const router = Router();
  const controls: string[] = [];
  const add: AddRoute = (method, path, handle) => {
    controls.push(`${method.toUpperCase()} ${CONTROL_PATH}${path}`);
    router[method](`${CONTROL_PATH}${path}`, (request, response) => answer(request, response, handle));
  };
  bookkeeperRoutes(simulation, add);
  companyRoutes(simulation, add);
  tokenRoutes(simulation, add);
  observationRoutes(simulation, add);
  webhookRoutes(simulation, add);
  router.get(CONTROL_PATH, (_request, response) => {
    reply(response, 200, { readMore: 'src/simulators/quickbooks/README.md', controls });
  });
  router.all(`${CONTROL_PATH}/*rest`, (_request, response) => {
    reply(response, 404, { error: 'no such control' });
  });
  return router;
}

async function answer(request: Request, response: Response, handle: ControlHandler): Promise<void> {
  try {
    const text = bodyText(request);
    const body = text === '' ? {} : parseJson(text);
    reply(response, 200, (await handle(body, request)) ?? {});
  } catch (error) {
    if (error instanceof ControlError) reply(response, error.status, { error: error.message });
    else if (error instanceof z.ZodError) reply(response, 400, { error: z.prettifyError(error) });
    else if (error instanceof SyntaxError) reply(response, 400, { error: error.message });
    else if (error instanceof ProviderFault) reply(response, 400, { error: error.message, code: error.fault.code });
    else throw error;
  }
}

function reply(response: Response, status: number, content: unknown): void {
  response.status(status).type('application/json').send(toJson(content));
}

/** Schemas of switches and rules are about plain numbers; amounts never pass through here. */
function plainNumbers(value: unknown): unknown {
  if (value instanceof Decimal) return z.coerce.number().parse(`${value}`);
  if (Array.isArray(value)) return value.map(plainNumbers);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plainNumbers(member)]));
}

function tokenRoutes(simulation: Simulation, add: AddRoute): void {
  add('post', '/tokens', (body) => {
    const { realmId, replace } = tokenOrder.parse(body);
    companyOf(simulation, realmId);
    const pair = simulation.oauth.connect(realmId, { replace });
    simulation.changed();
    const { clientId, clientSecret } = simulation;
    const accessTokenExpiresAt = new Date(pair.accessTokenExpiresAt).toISOString();
    const { accessToken, refreshToken } = pair;
    return { realmId, accessToken, refreshToken, accessTokenExpiresAt, clientId, clientSecret };
  });
  add('post', '/expire-tokens', (body) => {
    simulation.oauth.expireAccessTokens(realmOrder.parse(body).realmId);
    simulation.changed();
  });
  add('post', '/revoke', (body) => {
    simulation.oauth.revokeRealm(realmOrder.parse(body).realmId);
    simulation.changed();
  });
  add('post', '/oauth', (body) => {
    const given = Object.entries(oauthOrder.parse(body)).filter(([, value]) => value !== undefined);
    return Object.assign(simulation.oauth.switches, Object.fromEntries(given));
  });
}

function observationRoutes(simulation: Simulation, add: AddRoute): void {
  add('post', '/faults', (body) => ({ id: simulation.faults.arm(faultRuleSchema.parse(plainNumbers(body))) }));
  add('get', '/faults', () => ({ faults: simulation.faults.list() }));
  add('delete', '/faults', () => simulation.faults.clear());
  add('get', '/requests', (_body, request) => {
    const query = queryOf(request);
    const filter = { realmId: query.get('realmId') ?? undefined, kind: query.get('kind') ?? undefined };
    return { requests: simulation.requests.list(filter) };
  });
  add('delete', '/requests', () => simulation.requests.clear());
  add('post', '/clock', (body) => {
    simulation.clock.advance(clockOrder.parse(body).advanceSeconds * 1000);
    simulation.changed();
    return { now: new Date(simulation.clock.now()).toISOString() };
  });
  add('post', '/reset', (body) => resetSimulation(simulation, resetOrder.parse(body)));
}

function webhookRoutes(simulation: Simulation, add: AddRoute): void {
  const { webhooks } = simulation;
  add('post', '/webhooks', (body) => {
    webhooks.configure(webhookSwitchesSchema.parse(plainNumbers(body)));
    return webhooks.settings;
  });
  add('get', '/webhooks', () => ({ settings: webhooks.settings, deliveries: webhooks.list() }));
  add('post', '/webhooks/flush', async () => {
    await webhooks.flush();
    return { settings: webhooks.settings };
  });
}
