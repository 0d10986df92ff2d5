import { z } from 'zod';
import { type AddRoute, ControlError } from '../../common/control-route.js';
import { queryOf } from '../../common/http-input.js';
import { newCompany } from '../books/seed.js';
import { companySettingsSchema } from '../company-settings.js';
import { isObject } from '../json.js';
import { type Simulation, workIn } from '../simulation.js';
import { dumpBooks } from './books-dump.js';
import { companyOf, plainNumbers } from './control-route.js';
import { clockOrder, optionalRealmOrder } from './orders.js';
import { removeCompany } from './reset.js';

/** The companies, their switches, their time and their books. */
export function companyRoutes(simulation: Simulation, add: AddRoute): void {
  add('get', '/companies', () => ({
    companies: [...simulation.companies.values()].map((company) => company.settings),
  }));
  add('post', '/companies', (body) => {
    const settings = companySettingsSchema.parse(plainNumbers(body));
    if (simulation.companies.has(settings.realmId)) throw new ControlError(409, 'this realm id is taken');
    simulation.companies.set(settings.realmId, newCompany(settings));
    simulation.changed();
    return settings;
  });
  add('patch', '/companies/:realmId', (body, request) => {
    const company = companyOf(simulation, z.string().parse(request.params.realmId));
    const changes = z.custom(isObject, 'must be an object').parse(plainNumbers(body));
    const { realmId } = company.settings;
    company.settings = companySettingsSchema.parse({ ...company.settings, ...(changes as object), realmId });
    for (const item of company.books.items.values()) {
      if (item.form.Name === 'Services') item.form.Active = !company.settings.withoutServicesItem;
    }
    simulation.changed();
    return company.settings;
  });
  add('delete', '/companies/:realmId', (_body, request) => {
    const { realmId } = companyOf(simulation, z.string().parse(request.params.realmId)).settings;
    return removeCompany(simulation, realmId);
  });
  add('post', '/clock', (body) => {
    const { realmId, advanceSeconds } = clockOrder.parse(body);
    const company = realmId === undefined ? undefined : companyOf(simulation, realmId);
    if (company === undefined) simulation.clock.advance(advanceSeconds * 1000);
    else company.aheadMs += advanceSeconds * 1000;
    simulation.changed();
    return { now: new Date(simulation.clock.nowAt(company ?? { aheadMs: 0 })).toISOString() };
  });
  add('post', '/forget-requestids', (body) => {
    const { realmId } = optionalRealmOrder.parse(body);
    const all = [...simulation.companies.values()];
    const forgetful = realmId === undefined ? all : [companyOf(simulation, realmId)];
    for (const company of forgetful) company.books.answered.clear();
    simulation.changed();
  });
  add('get', '/books', (_body, request) =>
    dumpBooks(workIn(simulation, companyOf(simulation, queryOf(request).get('realmId') ?? ''))),
  );
}
