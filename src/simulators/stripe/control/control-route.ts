import type { Request } from 'express';
import { ControlError } from '../../common/control-route.js';
import { queryOf } from '../../common/http-input.js';
import type { Account } from '../books/model.js';
import type { Work } from '../books/work.js';
import { type Simulation, workIn } from '../simulation.js';

/** The account with this id, or the only one there is. */
export function accountOf({ accounts }: Simulation, accountId: string | undefined): Account {
  if (accountId === undefined) {
    const [only, another] = accounts.values();
    if (only === undefined || another !== undefined)
      throw new ControlError(400, 'there are several accounts: give accountId');
    return only;
  }
  const account = accounts.get(accountId);
  if (account === undefined) throw new ControlError(404, `no account has the id ${accountId}`);
  return account;
}

/** The account that an observation is limited to, if any. */
export function accountIn(request: Request): string | undefined {
  return queryOf(request).get('accountId') ?? undefined;
}

/** Does what the provider's rules allow, in one step, and announces it. */
export function actIn<T>(simulation: Simulation, accountId: string | undefined, act: (work: Work) => T): T {
  const account = accountOf(simulation, accountId);
  const work = workIn(simulation, account);
  try {
    return act(work);
  } finally {
    simulation.published(account, work.events);
  }
}
