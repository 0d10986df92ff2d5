import { newBooks } from '../books/model.js';
import type { Simulation } from '../simulation.js';

/** Back to the beginning. Accounts stay, as they were made. */
export async function resetSimulation(simulation: Simulation, options: { readonly clocks: boolean }): Promise<void> {
  for (const account of simulation.accounts.values()) {
    account.settings = account.seed;
    account.books = newBooks();
    if (options.clocks) account.aheadMs = 0;
  }
  if (options.clocks) simulation.clock.reset();
  simulation.faults.clear(undefined);
  simulation.chaos.clear(undefined);
  simulation.requests.clear(undefined);
  simulation.changed();
  await simulation.webhooks.reset();
}

/** Leaves nothing of an account. */
export async function removeAccount(simulation: Simulation, accountId: string): Promise<void> {
  simulation.accounts.delete(accountId);
  simulation.faults.clear(accountId);
  simulation.chaos.clear(accountId);
  simulation.requests.clear(accountId);
  simulation.changed();
  await simulation.webhooks.forgetAccount(accountId);
}
