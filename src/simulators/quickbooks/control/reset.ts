import { newBooks } from '../books/seed.js';
import type { Simulation } from '../simulation.js';

/** Back to the beginning. The webhook endpoint stays, and so do connections unless asked otherwise. */
export function resetSimulation(simulation: Simulation, options: { readonly tokens: boolean }): void {
  for (const company of simulation.companies.values()) {
    company.settings = company.seed;
    company.books = newBooks(company.seed);
  }
  simulation.faults.clear();
  simulation.requests.clear();
  simulation.webhooks.reset();
  if (options.tokens) {
    simulation.oauth.forgetEverything();
    simulation.clock.reset();
  }
  simulation.changed();
}
