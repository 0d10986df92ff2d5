import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { type AddRoute, CONTROL_PATH, ControlError, type ControlHandler } from '../../common/control-route.js';
import { bodyText, queryOf } from '../../common/http-input.js';
import { ProviderFault } from '../faults.js';
import { chaosOrder } from '../http/chaos-rules.js';
import { faultRuleSchema } from '../http/fault-rules.js';
import { parseJson, toJson } from '../json.js';
import type { Simulation } from '../simulation.js';
import { webhookSwitchesSchema } from '../webhooks/behaviour.js';
import { bookkeeperRoutes } from './bookkeeper-routes.js';
import { companyRoutes } from './company-routes.js';
import { companyOf, plainNumbers, realmIn } from './control-route.js';
import { oauthOrder, optionalRealmOrder, realmOrder, resetOrder, tokenOrder } from './orders.js';
import { resetSimulation } from './reset.js';

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
    const { realmId, ...switches } = oauthOrder.parse(body);
    const given = Object.entries(switches).filter(([, value]) => value !== undefined);
    return simulation.oauth.configure(realmId, Object.fromEntries(given));
  });
}

function observationRoutes(simulation: Simulation, add: AddRoute): void {
  add('post', '/faults', (body) => ({ id: simulation.faults.arm(faultRuleSchema.parse(plainNumbers(body))) }));
  add('get', '/faults', (_body, request) => ({ faults: simulation.faults.list(realmIn(request)) }));
  add('delete', '/faults', (_body, request) => simulation.faults.clear(realmIn(request)));
  add('post', '/chaos', (body) => {
    const order = chaosOrder.parse(plainNumbers(body));
    companyOf(simulation, order.realmId);
    simulation.chaos.arm(order);
  });
  add('get', '/chaos', (_body, request) => ({ chaos: simulation.chaos.list(realmIn(request)) }));
  add('delete', '/chaos', (_body, request) => simulation.chaos.clear(realmIn(request)));
  add('get', '/requests', (_body, request) => {
    const kind = queryOf(request).get('kind') ?? undefined;
    return { requests: simulation.requests.list({ owner: realmIn(request), kind }) };
  });
  add('delete', '/requests', (_body, request) => simulation.requests.clear(realmIn(request)));
  add('post', '/reset', (body) => resetSimulation(simulation, resetOrder.parse(body)));
}

function webhookRoutes(simulation: Simulation, add: AddRoute): void {
  const { webhooks } = simulation;
  add('post', '/webhooks', (body) => {
    const switches = webhookSwitchesSchema.parse(plainNumbers(body));
    if (switches.realmId !== undefined) companyOf(simulation, switches.realmId);
    webhooks.configure(switches);
    return webhooks.settings(switches.realmId);
  });
  add('get', '/webhooks', (_body, request) => ({
    settings: webhooks.settings(realmIn(request)),
    deliveries: webhooks.list(realmIn(request)),
  }));
  add('delete', '/webhooks', (_body, request) =>
    webhooks.useDefault(realmOrder.parse({ realmId: realmIn(request) }).realmId),
  );
  add('post', '/webhooks/flush', async (body) => {
    const { realmId } = optionalRealmOrder.parse(body);
    await webhooks.flush(realmId);
    return { settings: webhooks.settings(realmId) };
  });
}
