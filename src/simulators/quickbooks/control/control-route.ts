import type { Request } from 'express';
import type { Company } from '../books/model.js';
import type { Simulation } from '../simulation.js';

/** Wrong use of the control API, with the status it is answered with. */
export class ControlError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export type ControlHandler = (body: unknown, request: Request) => unknown;
export type AddRoute = (method: 'get' | 'post' | 'patch' | 'delete', path: string, handle: ControlHandler) => void;

export function companyOf(simulation: Simulation, realmId: string): Company {
  const company = simulation.companies.get(realmId);
  if (company === undefined) throw new ControlError(404, `no company has the realm id ${realmId}`);
  return company;
}
