import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { type AddRoute, CONTROL_PATH, ControlError, type ControlHandler } from '../../common/control-route.js';
import { bodyText, queryOf } from '../../common/http-input.js';
import { StripeFailure } from '../errors.js';
import { chaosOrder } from '../http/chaos-rules.js';
import { faultRuleSchema } from '../http/fault-rules.js';
import type { Simulation } from '../simulation.js';
import { webhookSwitchesSchema } from '../webhooks/behaviour.js';
import { accountRoutes } from './account-routes.js';
import { bookkeeperRoutes } from './bookkeeper-routes.js';
import { accountIn, accountOf } from './control-route.js';
import { accountOrder, resetOrder } from './orders.js';
import { resetSimulation } from './reset.js';

/** For people and tests: plays buyers and the bookkeeper, breaks things, and shows what happened. Takes no key. */
export function controlRoutes(simulation: Simulation): Router {
  const router = Router();
  const controls: string[] = [];
  const add: AddRoute = (method, path, handle) => {
    controls.push(`${method.toUpperCase()} ${CONTROL_PATH}${path}`);
    router[method](`${CONTROL_PATH}${path}`, (request, response) => answer(request, response, handle));
  };
  bookkeeperRoutes(simulation, add);
  accountRoutes(simulation, add);
  observationRoutes(simulation, add);
  webhookRoutes(simulation, add);
  router.get(CONTROL_PATH, (_request, response) => {
    response.json({ readMore: 'src/simulators/stripe/README.md', controls });
  });
  router.all(`${CONTROL_PATH}/*rest`, (_request, response) => {
    response.status(404).json({ error: 'no such control' });
  });
  return router;
}

async function answer(request: Request, response: Response, handle: ControlHandler): Promise<void> {
  try {
    const text = bodyText(request);
    const body: unknown = text === '' ? {} : JSON.parse(text);
    response.json((await handle(body, request)) ?? {});
  } catch (error) {
    if (error instanceof ControlError) response.status(error.status).json({ error: error.message });
    else if (error instanceof z.ZodError) response.status(400).json({ error: z.prettifyError(error) });
    else if (error instanceof SyntaxError) response.status(400).json({ error: error.message });
    else if (error instanceof StripeFailure)
      response.status(400).json({ error: error.message, type: error.error.type, code: error.error.code });
    else throw error;
  }
}

function observationRoutes(simulation: Simulation, add: AddRoute): void {
  add('post', '/faults', (body) => ({ id: simulation.faults.arm(faultRuleSchema.parse(body)) }));
  add('get', '/faults', (_body, request) => ({ faults: simulation.faults.list(accountIn(request)) }));
  add('delete', '/faults', (_body, request) => simulation.faults.clear(accountIn(request)));
  add('post', '/chaos', (body) => {
    const order = chaosOrder.parse(body);
    accountOf(simulation, order.accountId);
    simulation.chaos.arm(order);
  });
  add('get', '/chaos', (_body, request) => ({ chaos: simulation.chaos.list(accountIn(request)) }));
  add('delete', '/chaos', (_body, request) => simulation.chaos.clear(accountIn(request)));
  add('get', '/requests', (_body, request) => {
    const kind = queryOf(request).get('kind') ?? undefined;
    return { requests: simulation.requests.list({ owner: accountIn(request), kind }) };
  });
  add('delete', '/requests', (_body, request) => simulation.requests.clear(accountIn(request)));
  add('post', '/reset', (body) => resetSimulation(simulation, resetOrder.parse(body)));
}

function webhookRoutes(simulation: Simulation, add: AddRoute): void {
  const { webhooks } = simulation;
  add('post', '/webhooks', (body) => {
    const switches = webhookSwitchesSchema.parse(body);
    if (switches.accountId !== undefined) accountOf(simulation, switches.accountId);
    webhooks.configure(switches);
    return webhooks.settings(switches.accountId);
  });
  add('get', '/webhooks', (_body, request) => ({
    settings: webhooks.settings(accountIn(request)),
    deliveries: webhooks.list(accountIn(request)),
  }));
  add('delete', '/webhooks', (_body, request) => webhooks.useDefault(z.string().parse(accountIn(request))));
  add('post', '/webhooks/flush', async (body) => {
    const { accountId } = accountOrder.parse(body);
    await webhooks.flush(accountId);
    return { settings: webhooks.settings(accountId) };
  });
}
