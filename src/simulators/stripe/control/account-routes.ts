import { z } from 'zod';
import { type AddRoute, ControlError } from '../../common/control-route.js';
import { type AccountSettings, accountSettingsSchema, type ResolvedAccountSettings } from '../account-settings.js';
import { newAccount } from '../books/model.js';
import { accountWithKey, type Simulation, workIn } from '../simulation.js';
import { dumpBooks } from './books-dump.js';
import { accountIn, accountOf } from './control-route.js';
import { accountOrder, clockOrder } from './orders.js';
import { removeAccount } from './reset.js';

/** The accounts, their switches, their time and their books. */
export function accountRoutes(simulation: Simulation, add: AddRoute): void {
  add('get', '/accounts', () => ({ accounts: [...simulation.accounts.values()].map((account) => account.settings) }));
  add('post', '/accounts', (body) => {
    const settings = accountSettingsSchema.parse(body);
    if (simulation.accounts.has(settings.accountId)) throw new ControlError(409, 'this account id is taken');
    checkKey(simulation, settings);
    simulation.accounts.set(settings.accountId, newAccount(settings));
    simulation.changed();
    return settings;
  });
  add('patch', '/accounts/:accountId', (body, request) => {
    const account = accountOf(simulation, z.string().parse(request.params.accountId));
    const changes = z.record(z.string(), z.unknown()).parse(body) as Partial<AccountSettings>;
    const { accountId } = account.settings;
    const settings = accountSettingsSchema.parse({ ...account.settings, ...changes, accountId });
    checkKey(simulation, settings);
    account.settings = settings;
    simulation.changed();
    return settings;
  });
  add('delete', '/accounts/:accountId', (_body, request) => {
    const { accountId } = accountOf(simulation, z.string().parse(request.params.accountId)).settings;
    return removeAccount(simulation, accountId);
  });
  add('post', '/clock', (body) => {
    const { accountId, advanceSeconds } = clockOrder.parse(body);
    const account = accountId === undefined ? undefined : accountOf(simulation, accountId);
    if (account === undefined) simulation.clock.advance(advanceSeconds * 1000);
    else account.aheadMs += advanceSeconds * 1000;
    simulation.changed();
    return { now: new Date(simulation.clock.nowAt(account ?? { aheadMs: 0 })).toISOString() };
  });
  add('post', '/forget-idempotency-keys', (body) => {
    const { accountId } = accountOrder.parse(body);
    const all = [...simulation.accounts.values()];
    const forgetful = accountId === undefined ? all : [accountOf(simulation, accountId)];
    for (const account of forgetful) account.books.answered.clear();
    simulation.changed();
  });
  add('get', '/books', (_body, request) => dumpBooks(workIn(simulation, accountOf(simulation, accountIn(request)))));
}

function checkKey(simulation: Simulation, { accountId, secretKey }: ResolvedAccountSettings): void {
  const owner = accountWithKey(simulation, secretKey);
  if (owner !== undefined && owner.settings.accountId !== accountId) {
    throw new ControlError(409, 'this secret key belongs to another account');
  }
}
