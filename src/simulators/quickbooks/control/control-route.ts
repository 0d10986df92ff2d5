import type { Request } from 'express';
import { z } from 'zod';
import { ControlError } from '../../common/control-route.js';
import { queryOf } from '../../common/http-input.js';
import type { Company } from '../books/model.js';
import { Decimal } from '../decimal.js';
import { isObject } from '../json.js';
import type { Simulation } from '../simulation.js';

export function companyOf(simulation: Simulation, realmId: string): Company {
  const company = simulation.companies.get(realmId);
  if (company === undefined) throw new ControlError(404, `no company has the realm id ${realmId}`);
  return company;
}

/** The realm that an observation is limited to, if any. */
export function realmIn(request: Request): string | undefined {
  return queryOf(request).get('realmId') ?? undefined;
}

/** Schemas of switches and rules are about plain numbers; amounts never pass through here. */
export function plainNumbers(value: unknown): unknown {
  if (value instanceof Decimal) return z.coerce.number().parse(`${value}`);
  if (Array.isArray(value)) return value.map(plainNumbers);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plainNumbers(member)]));
}
