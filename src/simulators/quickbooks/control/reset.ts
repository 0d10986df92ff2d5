import { newBooks } from '../books/seed.js';
import type { Simulation } from '../simulation.js';

/** Back to the beginning. The webhook endpoint stays, and so do connections unless asked otherwise. */
export async function resetSimulation(simulation: Simulation, options: { readonly tokens: boolean }): Promise<void> {
  for (const company of simulation.companies.values()) {
    company.settings = company.seed;
    company.books = newBooks(company.seed);
    if (options.tokens) company.aheadMs = 0;
  }
  simulation.faults.clear(undefined);
  simulation.chaos.clear(undefined);
  simulation.limits.forget(undefined);
  simulation.requests.clear(undefined);
  if (options.tokens) {
    simulation.oauth.forgetEverything();
    simulation.clock.reset();
  }
  simulation.changed();
  await simulation.webhooks.reset();
}

/** Leaves nothing of a company. */
export async function removeCompany(simulation: Simulation, realmId: string): Promise<void> {
  simulation.companies.delete(realmId);
  simulation.oauth.forgetRealm(realmId);
  simulation.faults.clear(realmId);
  simulation.chaos.clear(realmId);
  simulation.limits.forget(realmId);
  simulation.requests.clear(realmId);
  simulation.changed();
  await simulation.webhooks.forgetRealm(realmId);
}
